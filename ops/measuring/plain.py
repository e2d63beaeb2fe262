"""A page of the users' list by plain SQL: its two queries. An exact total would be a third."""

# What says whether the total that was counted before is still true.
CHANGED = (
    "SELECT update_time, create_time, auto_increment, table_rows, NOW()"
    " FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_name = 'virtual_users'"
)
ROWS = (
    "SELECT u.id, u.domain_id, u.email, u.password,"
    " (SELECT COUNT(*) FROM virtual_aliases a WHERE a.destination = u.email)"
    " FROM virtual_users u JOIN"
    " (SELECT id FROM virtual_users ORDER BY email LIMIT 10 OFFSET {offset}) i ON i.id = u.id"
    " ORDER BY u.email"
)
