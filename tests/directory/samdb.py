"""The accounts of a domain controller, changed in its own database while it runs.

Debian's Python has Samba's module and the tests' environment has not: /usr/bin/python3 runs this
file with the controller's smb.conf and the domain's DN. Each line that it reads is an order in
JSON, and it answers each by a line. See ``domain_accounts`` for the other side.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ldb  # type: ignore[import-not-found]
from samba import unix2nttime  # type: ignore[import-not-found]
from samba.auth import system_session  # type: ignore[import-not-found]
from samba.dcerpc import security  # type: ignore[import-not-found]
from samba.ndr import ndr_unpack  # type: ignore[import-not-found]
from samba.param import LoadParm  # type: ignore[import-not-found]
from samba.samdb import SamDB  # type: ignore[import-not-found]

PRINCIPAL = "userPrincipalName"
DISABLED = 0x2
NORMAL_ACCOUNT = 0x200
WORKSTATION_TRUST_ACCOUNT = 0x1000
DAY = 24 * 3600
AGES_AGO = 10_000 * DAY  # older than any password may become
# DSDB_CONTROL_PASSWORD_BYPASS_LAST_SET_OID, which the module does not name: any age is permitted.
OLD_PASSWORD = "local_oid:1.3.6.1.4.1.7165.4.3.20:0"


class Accounts:
    """What can be ordered: each method that does not begin with an underscore."""

    def __init__(self, smb_conf: str, domain: str) -> None:
        options = LoadParm()
        options.load(smb_conf)
        self._samdb = SamDB(session_info=system_session(), lp=options)
        self._domain = domain
        private = Path(options.get("private dir"))
        self._file = private / "sam.ldb.d" / f"{domain.upper()}.ldb"

    def set_policy(self, **attributes: str) -> None:
        self._change(self._domain, attributes)

    def add_unit(self, dn: str) -> None:
        self._samdb.add({"dn": dn, "objectClass": "organizationalUnit"})

    def add_group(self, dn: str, name: str) -> None:
        self._samdb.add({"dn": dn, "objectClass": "group", "sAMAccountName": name})

    def add_user(self, dn: str, name: str, password: str, attributes: Mapping[str, str]) -> None:
        entry: dict[str, Any] = {
            "dn": dn,
            "objectClass": "user",
            "sAMAccountName": name,
            "userAccountControl": str(NORMAL_ACCOUNT),
            "unicodePwd": f'"{password}"'.encode("utf-16-le"),
        }
        self._samdb.add(entry | dict(attributes))

    def add_computer(self, dn: str, name: str, password: str) -> None:
        entry = {
            "dn": dn,
            "objectClass": "computer",
            "sAMAccountName": name,
            "userAccountControl": str(WORKSTATION_TRUST_ACCOUNT),
            "unicodePwd": f'"{password}"'.encode("utf-16-le"),
        }
        self._samdb.add(entry)

    def attributes(self, name: str, wanted: Sequence[str]) -> dict[str, list[str]]:
        """The values of an entry; those that are no text are left out."""
        entry = self._samdb.search(self._dn(name), ldb.SCOPE_BASE, attrs=wanted)[0]
        return {key: [str(value) for value in entry[key]] for key in wanted if key in entry}

    def dn(self, name: str) -> str:
        return self._dn(name)

    def set(self, name: str, attributes: Mapping[str, Any]) -> None:
        self._change(self._dn(name), attributes)

    def set_principal(self, name: str, principal: str) -> None:
        """Any userPrincipalName, past the rule that it be nobody else's implied one.

        Windows and Samba have had that rule only since 2021.
        """
        raw = ldb.Ldb()
        raw.connect(f"tdb://{self._file}", ldb.FLG_NOSYNC)
        message = ldb.Message(ldb.Dn(raw, self._dn(name)))
        message[PRINCIPAL] = ldb.MessageElement(principal, ldb.FLAG_MOD_REPLACE, PRINCIPAL)
        raw.modify(message)

    def set_password(self, name: str, password: str) -> None:
        self._change(self._dn(name), {"unicodePwd": f'"{password}"'.encode("utf-16-le")})

    def disable(self, name: str) -> None:
        self._change(self._dn(name), {"userAccountControl": str(NORMAL_ACCOUNT | DISABLED)})

    def enable(self, name: str) -> None:
        self._change(self._dn(name), {"userAccountControl": str(NORMAL_ACCOUNT)})

    def lock_out(self, name: str) -> None:
        self._change(self._dn(name), {"lockoutTime": str(unix2nttime(int(time.time())))})

    def unlock(self, name: str) -> None:
        self._change(self._dn(name), {"lockoutTime": "0"})

    def expire(self, name: str) -> None:
        yesterday = unix2nttime(int(time.time()) - DAY)
        self._change(self._dn(name), {"accountExpires": str(yesterday)})

    def expire_password(self, name: str) -> None:
        long_ago = unix2nttime(int(time.time()) - AGES_AGO)
        self._change(self._dn(name), {"pwdLastSet": str(long_ago)}, [OLD_PASSWORD])

    def demand_new_password(self, name: str) -> None:
        self._change(self._dn(name), {"pwdLastSet": "0"})

    def put_into(self, group: str, name: str) -> None:
        self._members(group, name, ldb.FLAG_MOD_ADD)

    def take_out_of(self, group: str, name: str) -> None:
        self._members(group, name, ldb.FLAG_MOD_DELETE)

    def set_primary_group(self, name: str, group: str) -> None:
        """Make a group that the user is in the primary one."""
        entry = self._samdb.search(self._dn(group), ldb.SCOPE_BASE, attrs=["objectSid"])[0]
        sid = ndr_unpack(security.dom_sid, entry["objectSid"][0])
        self._change(self._dn(name), {"primaryGroupID": str(sid.split()[1])})

    def rename(self, name: str, new: str, called: str) -> None:
        """Change the account's name and its DN."""
        old = self._dn(name)
        self._change(old, {"sAMAccountName": new})
        changed = ldb.Dn(self._samdb, old)
        changed.set_component(0, "CN", called)
        self._samdb.rename(old, str(changed))

    def delete(self, name: str) -> None:
        self._samdb.delete(self._dn(name))

    def _dn(self, name: str) -> str:
        wanted = f"(sAMAccountName={ldb.binary_encode(name)})"
        found = self._samdb.search(self._domain, ldb.SCOPE_SUBTREE, wanted, attrs=[])
        if len(found) != 1:
            raise LookupError(f"{len(found)} entries are {name}")
        return str(found[0].dn)

    def _change(self, dn: str, attributes: Mapping[str, Any], controls: Sequence[str] = ()) -> None:
        message = ldb.Message(ldb.Dn(self._samdb, dn))
        for name, value in attributes.items():
            values = [] if value is None else value
            message[name] = ldb.MessageElement(values, ldb.FLAG_MOD_REPLACE, name)
        self._samdb.modify(message, list(controls))

    def _members(self, group: str, name: str, flag: int) -> None:
        message = ldb.Message(ldb.Dn(self._samdb, self._dn(group)))
        message["member"] = ldb.MessageElement(self._dn(name), flag, "member")
        self._samdb.modify(message)


def main() -> None:
    accounts = Accounts(sys.argv[1], sys.argv[2])
    for line in sys.stdin:
        order, arguments = json.loads(line)
        try:
            answer = {"done": getattr(accounts, order)(**arguments)}
        except Exception as error:  # noqa: BLE001 - the tests' side raises it again
            answer = {"failed": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
