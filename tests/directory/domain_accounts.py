"""The accounts of the tests' domain controller: made, changed and taken away again."""

import json
import subprocess
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("samdb.py")
PYTHON = "/usr/bin/python3"  # the system's, as Debian's package has Samba's module for it
PASSWORD = "Corréct horse 7"
LOCKED_AFTER = 10  # wrong passwords: more than tests show for one of the shared accounts
# No rule on passwords, so that tests can have any.
POLICY = {
    "pwdProperties": "0",
    "minPwdLength": "0",
    "minPwdAge": "0",
    "lockoutThreshold": str(LOCKED_AFTER),
}


class DomainAccounts:
    """Users and groups, each named by its sAMAccountName, straight in the database.

    Changes count at once, also for a server that runs. What the directory forbids raises.
    """

    def __init__(self, smb_conf: Path, domain: str) -> None:
        self.domain = domain
        self._output = smb_conf.with_name("accounts.log")
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [PYTHON, str(SCRIPT), str(smb_conf), domain],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                encoding="utf-8",
            )
        self._order("set_policy", **POLICY)

    def close(self) -> None:
        """Let the process end."""
        self._process.communicate()

    def add_unit(self, name: str) -> str:
        """An organizational unit; its DN, for ``below``."""
        dn = f"OU={escaped(name)},{self.domain}"
        self._order("add_unit", dn=dn)
        return dn

    def add_group(self, name: str, *members: str, called: str = "") -> None:
        """A global security group. ``called`` is the cn, else as the name."""
        self._order("add_group", dn=self._place(called or name), name=name)
        for member in members:
            self.put_into(name, member)

    def add_user(
        self,
        name: str,
        *groups: str,
        password: str = PASSWORD,
        below: str = "",
        called: str = "",
        **attributes: str,
    ) -> str:
        """A user who can sign in; the DN. ``called`` is the cn, else as the name."""
        dn = self._place(called or name, below)
        self._order("add_user", dn=dn, name=name, password=password, attributes=attributes)
        for group in groups:
            self.put_into(group, name)
        return dn

    def add_computer(self, name: str, *groups: str, password: str = PASSWORD) -> None:
        """A computer that has joined the domain; its account has a $ behind the name."""
        account = f"{name}$"
        self._order("add_computer", dn=self._place(name), name=account, password=password)
        for group in groups:
            self.put_into(group, account)

    def dn(self, name: str) -> str:
        """Where the entry is now."""
        return str(self._order("dn", name=name))

    def attribute(self, name: str, wanted: str) -> str:
        """The first value of an attribute that is text, or nothing."""
        found: dict[str, list[str]] = self._order("attributes", name=name, wanted=[wanted])
        return found[wanted][0] if found else ""

    def bad_passwords(self, name: str) -> int:
        """How many wrong passwords the directory counts for this user."""
        return int(self.attribute(name, "badPwdCount") or 0)

    def set(self, name: str, **attributes: str | list[str] | None) -> None:
        """Replace attributes; None takes one away."""
        self._order("set", name=name, attributes=attributes)

    def set_principal(self, name: str, principal: str) -> None:
        """Any userPrincipalName, also one that looks like another account's name."""
        self._order("set_principal", name=name, principal=principal)

    def set_password(self, name: str, password: str) -> None:
        self._order("set_password", name=name, password=password)

    def disable(self, name: str) -> None:
        self._order("disable", name=name)

    def enable(self, name: str) -> None:
        self._order("enable", name=name)

    def lock_out(self, name: str) -> None:
        """Lock it as too many wrong passwords do."""
        self._order("lock_out", name=name)

    def unlock(self, name: str) -> None:
        self._order("unlock", name=name)

    def expire(self, name: str) -> None:
        """Let the account end yesterday."""
        self._order("expire", name=name)

    def expire_password(self, name: str) -> None:
        """Let the password be older than the domain permits."""
        self._order("expire_password", name=name)

    def demand_new_password(self, name: str) -> None:
        """Let the user have to change the password at the next logon."""
        self._order("demand_new_password", name=name)

    def put_into(self, group: str, name: str) -> None:
        self._order("put_into", group=group, name=name)

    def take_out_of(self, group: str, name: str) -> None:
        self._order("take_out_of", group=group, name=name)

    def set_primary_group(self, name: str, group: str) -> None:
        """Make a group that the user is in the primary one, which no ``member`` shows."""
        self._order("set_primary_group", name=name, group=group)

    def rename(self, name: str, new: str, *, called: str = "") -> None:
        """Change the name and the DN. ``called`` is the cn, else as the name."""
        self._order("rename", name=name, new=new, called=called or new)

    def delete(self, name: str) -> None:
        self._order("delete", name=name)

    def _place(self, name: str, below: str = "") -> str:
        return f"CN={escaped(name)},{below or f'CN=Users,{self.domain}'}"

    def _order(self, what: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The accounts cannot be changed:\n{self._output.read_text()}")
        answer = json.loads(line)
        if "failed" in answer:
            raise RuntimeError(f"{what} {arguments}: {answer['failed']}")
        return answer["done"]


def escaped(value: str) -> str:
    """A value as a DN has it (RFC 4514)."""
    special = "".join(f"\\{letter}" if letter in ',\\#+<>;"=' else letter for letter in value)
    edges = special.removesuffix(" ") + "\\ " if special.endswith(" ") else special
    return f"\\{edges}" if edges.startswith((" ", "#")) and not edges.startswith("\\") else edges
