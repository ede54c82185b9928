"""ZIP files of strangers: checked as a whole before a byte is unpacked, then read member by member within bounds.

Nothing is ever written to disk, so a path can do no harm; one that points outside is refused all the same, because a
package that holds such a path was made to attack someone.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping

from question_banks.limits import Limits
from question_banks.markup import normal
from question_banks.problems import BankError, declare

declare(
    {
        "zip-broken": "The archive is damaged: {reason}.",
        "zip-members": "The archive has {number} files; at most {most} are read.",
        "zip-path": "The archive contains the path {name}, which points outside it.",
        "zip-link": "The archive contains the link {name}; links are not read.",
        "zip-encrypted": "The file {name} in the archive is encrypted. Pack it again without a password.",
        "zip-size": "The archive unpacks to {size} bytes; at most {most} are read.",
        "zip-ratio": "The file {name} in the archive unpacks to more than {most} times its size; such files are made to exhaust memory.",
        "zip-nested": "The archive contains another archive, {name}. Unpack it and send the inner one.",
        "zip-repeated": "The archive contains {name} twice.",
        "zip-method": "The file {name} in the archive is packed by a method that is not read.",
        "zip-missing": "The archive has no file {name}.",
    }
)

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    NotImplementedError,
    RuntimeError,
)


class Archive:
    """A checked archive; `read` gives a member's bytes, `names` the members in order.

    Names are normal texts: a Mac writes "ả" as letters and marks, which a manifest may name in one sign.
    """

    def __init__(self, data: bytes, file: str, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            members = self._zip.infolist()
        except _BROKEN as error:
            raise BankError("zip-broken", file=file, reason=str(error) or type(error).__name__) from None
        if len(members) > limits.archive_members:
            raise BankError("zip-members", file=file, number=len(members), most=limits.archive_members)
        self._members: dict[str, zipfile.ZipInfo] = {}
        total = 0
        for member in members:
            name = self._check(member)
            total += member.file_size
            if not member.is_dir():
                if name in self._members:
                    raise BankError("zip-repeated", file=file, name=name)
                self._members[name] = member
        if total > limits.archive_size:
            raise BankError("zip-size", file=file, size=total, most=limits.archive_size)

    def _check(self, member: zipfile.ZipInfo) -> str:
        name = normal(member.filename.replace("\\", "/"))
        parts = name.split("/")
        if (
            name.startswith("/")
            or ".." in parts
            or "\x00" in member.orig_filename
            or (len(name) > 1 and name[1] == ":")
        ):
            raise BankError("zip-path", file=self._file, name=name)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise BankError("zip-link", file=self._file, name=name)
        if member.flag_bits & 0x1:
            raise BankError("zip-encrypted", file=self._file, name=name)
        if member.compress_type not in _METHODS:
            raise BankError("zip-method", file=self._file, name=name)
        if member.file_size > 1_000_000 and member.file_size > self._limits.compression_ratio * max(
            1, member.compress_size
        ):
            raise BankError("zip-ratio", file=self._file, name=name, most=self._limits.compression_ratio)
        if name.lower().endswith((".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")):
            raise BankError("zip-nested", file=self._file, name=name)
        return name

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._members)

    def __contains__(self, name: str) -> bool:
        return normal(name) in self._members

    def read(self, name: str, most: int | None = None) -> bytes:
        """A member's bytes, never more than it declared nor than `most`. BankError when it is missing or damaged."""
        member = self._members.get(normal(name))
        if member is None:
            raise BankError("zip-missing", file=self._file, name=name)
        bound = self._limits.text_size if most is None else most
        if member.file_size > bound:
            raise BankError("zip-size", file=self._file, size=member.file_size, most=bound)
        try:
            with self._zip.open(member) as stream:
                data = stream.read(member.file_size + 1)
        except _BROKEN as error:
            raise BankError(
                "zip-broken", file=self._file, reason=f"{name}: {error or type(error).__name__}"
            ) from None
        if len(data) > member.file_size:
            raise BankError("zip-broken", file=self._file, reason=f"{name} is larger than it declares")
        if data.startswith(b"PK\x03\x04"):
            raise BankError("zip-nested", file=self._file, name=name)
        return data


def pack(members: Mapping[str, bytes]) -> bytes:
    """A ZIP file with these members in this order; the same members give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return target.getvalue()
