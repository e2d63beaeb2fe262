"""Open the log for appending, whoever asks: the account that serves, or root by a command.

Both write one file, in a folder where that account may put anything. So root follows no link out
of such a folder, and a file that root makes there is one that the account can go on with.
"""

import errno
import os
import stat
from pathlib import Path

OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def open_for_appending(path: Path) -> int:
    """A descriptor to append to the file, and to see how it ends; a missing file is made.

    A new file is for its owner and group only. Raises OSError, also where root would write to
    something that another account may have put in the log's place.
    """
    is_guarded = os.geteuid() == 0 and _others_may_write(path.parent)
    flags = os.O_RDWR | os.O_APPEND | (os.O_NOFOLLOW if is_guarded else 0)
    try:
        # Not with O_CREAT, which Linux refuses to root for another's file in a sticky folder
        # (fs.protected_regular in proc_sys_fs(5)).
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return _make(path, flags)
    if is_guarded and not _is_a_file_of_one_name(descriptor):
        os.close(descriptor)
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))
    return descriptor


def _others_may_write(folder: Path) -> bool:
    state = folder.stat()
    return state.st_uid != 0 or bool(state.st_mode & OTHERS_MAY_WRITE)


def _is_a_file_of_one_name(descriptor: int) -> bool:
    state = os.fstat(descriptor)
    return stat.S_ISREG(state.st_mode) and state.st_nlink == 1


def _make(path: Path, flags: int) -> int:
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o640)
    except FileExistsError:  # another process was quicker, or it is a link to a file to be made
        return os.open(path, flags | os.O_CREAT, 0o640)
    if os.geteuid() == 0:
        _hand_over(descriptor, path.parent)
    return descriptor


def _hand_over(descriptor: int, folder: Path) -> None:
    """Give root's new file to the folder's owner, and to its group where that may write there."""
    state = folder.stat()
    os.fchown(descriptor, state.st_uid, state.st_gid)
    if state.st_mode & stat.S_IWGRP:
        os.fchmod(descriptor, 0o660)
