import bz2
import errno
import gzip
import hashlib
import io
import lzma
import os
import random
import stat
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from jointalign.errors import FormatError, JointalignError
from jointalign.formats.api import read
from jointalign.storage.files import (
    atomic,
    digest,
    file_facts,
    open_text,
    plain_errors,
    read_lines,
    write_bytes,
    write_text,
)
from jointalign.storage.lines import longest_line

COMPRESS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}
DECOMPRESS = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
TEXT = "".join(f"line {number} ñ\n" for number in range(50_000)).encode()

compressions = pytest.mark.parametrize("suffix", COMPRESS)


def read_all(path):
    with open_text(path) as stream:
        return stream.read()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# Compression


@compressions
def test_reads_what_other_programs_compressed(tmp_path, suffix):
    path = tmp_path / f"text{suffix}"
    path.write_bytes(COMPRESS[suffix](TEXT))
    assert read_all(path) == TEXT


@compressions
def test_other_programs_read_what_we_compress(tmp_path, suffix):
    path = tmp_path / f"text{suffix}"
    with write_bytes(path) as stream:
        stream.write(TEXT)
    assert DECOMPRESS[suffix](path.read_bytes()) == TEXT
    assert path.stat().st_size < len(TEXT) / 2


@compressions
def test_upper_case_suffix(tmp_path, suffix):
    path = tmp_path / f"text{suffix.upper()}"
    with write_text(path) as text:
        text.write("año\n")
    assert path.read_bytes() != "año\n".encode()
    assert list(read_lines(path)) == [(1, "año")]


@compressions
@pytest.mark.parametrize("padding", [b"", b"\0" * 512])
def test_several_streams_are_read_to_the_end(tmp_path, suffix, padding):
    path = tmp_path / f"text{suffix}"
    middle = len(TEXT) // 2
    streams = [COMPRESS[suffix](part) for part in (TEXT[:middle], b"", TEXT[middle:])]
    path.write_bytes(padding.join(streams) + padding)
    assert read_all(path) == TEXT


def test_zst_frame_without_data_is_skipped(tmp_path):
    skippable = (0x184D2A50).to_bytes(4, "little") + (4).to_bytes(4, "little") + b"pzst"
    path = tmp_path / "text.zst"
    path.write_bytes(skippable + COMPRESS[".zst"](b"casa"))
    assert read_all(path) == b"casa"


@compressions
@pytest.mark.parametrize("kept", [0.01, 0.5, 0.999])
def test_cut_off_stream(tmp_path, suffix, kept):
    path = tmp_path / f"text{suffix}"
    data = COMPRESS[suffix](TEXT)
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(FormatError, match="cut off"):
        read_all(path)


@compressions
def test_damage_after_the_first_stream_is_no_end(tmp_path, suffix):
    path = tmp_path / f"text{suffix}"
    path.write_bytes(COMPRESS[suffix](TEXT) + b"this is not compressed")
    with pytest.raises(FormatError, match=f"expected {suffix} data"):
        read_all(path)


@compressions
def test_plain_text_with_a_compressed_name(tmp_path, suffix, caplog):
    path = tmp_path / f"text{suffix}"
    path.write_bytes(TEXT)
    with open_text(path) as stream:
        assert stream.read() == TEXT
    assert "not compressed, whatever the name says" in caplog.text
    path.write_bytes(b"\0" + TEXT)
    with pytest.raises(FormatError, match=f"expected {suffix} data"):
        list(read_lines(path))


@compressions
@pytest.mark.parametrize("name", ["text", "text.vec", "text.gz", "text.zst"])
def test_compressed_data_under_any_name(tmp_path, suffix, name):
    with write_bytes(tmp_path / f"right{suffix}") as stream:
        stream.write(TEXT)
    (tmp_path / f"right{suffix}").rename(tmp_path / name)
    with open_text(tmp_path / name) as stream:
        assert stream.read() == TEXT


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_a_bomb_is_expanded_bit_by_bit(tmp_path, suffix):
    path = tmp_path / f"bomb{suffix}"
    with write_bytes(path) as stream:
        for _ in range(48):
            stream.write(bytes(1 << 20))
    with open_text(path) as stream:
        tracemalloc.start()
        stream.read(1000)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < (24 << 20 if suffix == ".xz" else 6 << 20)  # xz keeps a dictionary of 8 MB
        assert sum(map(len, iter(lambda: stream.read(1 << 20), b""))) == (48 << 20) - 1000


@pytest.mark.parametrize("limit", [1000, 1 << 20])
def test_a_line_without_end_is_an_error_that_names_it(tmp_path, limit):
    path = tmp_path / "text"
    path.write_bytes(b"casa\n" + b"x" * limit + b"\n" + b"x" * (limit + 1))
    with longest_line(limit), pytest.raises(FormatError, match="longer than") as caught:
        list(read_lines(path))
    assert caught.value.line == 3
    with longest_line(limit + 1):
        assert len(list(read_lines(path))) == 3
    assert len(list(read_lines(path))) == 3  # 64 MiB again
    assert len(list(read_lines(path, 100))) > 20
    with pytest.raises(JointalignError, match="got 0"), longest_line(0):
        pass


def test_a_row_of_vectors_without_end_is_named(tmp_path):
    (tmp_path / "a.vec").write_bytes(b"3 2\ncasa 1 2\nhogar 3 4\n" + b"x" * (40 << 20))
    with longest_line(16 << 20), pytest.raises(FormatError, match="longer than 16 MiB") as caught:
        read(tmp_path / "a.vec")
    assert caught.value.line == 4


@pytest.mark.parametrize("content", [b"casa\rhogar\r", b"casa\rhogar", b"\xef\xbb\xbfcasa\rhogar\r"])
def test_lines_that_all_end_with_cr(tmp_path, content):
    (tmp_path / "text").write_bytes(content)
    assert list(read_lines(tmp_path / "text")) == [(1, "casa"), (2, "hogar")]


def test_a_stray_cr_ends_no_line(tmp_path):
    (tmp_path / "text").write_bytes(b"ca\rsa\nhogar\n")
    assert list(read_lines(tmp_path / "text")) == [(1, "ca\rsa"), (2, "hogar")]


@compressions
def test_same_content_same_bytes(tmp_path, suffix):
    for name in ("one", "two"):
        with write_bytes(tmp_path / f"{name}{suffix}") as stream:
            stream.write(TEXT)
    assert digest(tmp_path / f"one{suffix}") == digest(tmp_path / f"two{suffix}")


# Lines


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"))))
def test_lines_are_what_lf_separates(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("lines") / "text"
    with write_text(path) as text:
        text.writelines(line + "\n" for line in lines)
    expected = [(number, line) for number, line in enumerate(lines, 1)]
    if lines and lines[0].startswith("\ufeff"):
        expected[0] = (1, lines[0][1:])
    assert list(read_lines(path)) == expected


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb", ["a", "\ufeffb"]),
        ("a\u2028b\x0cc\x85d\n".encode(), ["a\u2028b\x0cc\x85d"]),
    ],
)
def test_line_ends(tmp_path, content, lines):
    path = tmp_path / "text"
    path.write_bytes(content)
    assert [text for _, text in read_lines(path)] == lines


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("casa\nmañana\n".encode("latin-1"), 2, r"0xf1 at column 3.*iconv -f latin1"),
        ("casa\n".encode("utf-16"), 1, "iconv -f utf-16"),
        ("世界\n".encode("utf-16"), 1, "iconv -f utf-16"),
        (b"casa\n\x7fELF\0\0", 2, "binary file"),
        ("mañana\n".encode() + b"caf\xe9\n", 2, "iconv -f utf-8 -t utf-8 -c"),
        ("mañana caf".encode() + b"\xe9\n", 1, "iconv -f utf-8 -t utf-8 -c"),
    ],
)
def test_not_utf8_text(tmp_path, content, line, message):
    path = tmp_path / "text"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message) as caught:
        list(read_lines(path))
    assert caught.value.line == line
    assert str(path) in str(caught.value)


LONGEST = 20


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["a b", "é", "日本語", "\U0001f600", " ", "\t", "word", "\r", "\n"])),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_pieces_of_long_lines_make_up_the_lines(tmp_path_factory, parts, mark):
    path = tmp_path_factory.mktemp("lines") / "text"
    content = mark + "".join(parts).encode()
    path.write_bytes(content)
    found: dict[int, list[str]] = {}
    for number, piece in read_lines(path, LONGEST):
        found.setdefault(number, []).append(piece)
    assert {number: "".join(pieces) for number, pieces in found.items()} == dict(read_lines(path))
    for line, pieces in zip(content.split(b"\n"), found.values(), strict=False):
        assert len(pieces) == 1 or (len(line) > LONGEST and all(pieces))
        assert all(len(piece.encode()) <= 2 * LONGEST + 2 for piece in pieces)
        for piece, following in pairwise(pieces):
            assert piece[-1] in " \t" or not {" ", "\t"} & {*piece} or following[0] == "\r"


def test_one_long_line_needs_little_memory(tmp_path):
    path = tmp_path / "text.gz"
    words = random.Random(0).randbytes(5_000_000).replace(b"\n", b" ").hex(" ", 5)
    path.write_bytes(gzip.compress(words.encode(), 1))
    tracemalloc.start()
    try:
        pieces = sum(1 for _ in read_lines(path, 100_000))
        assert tracemalloc.get_traced_memory()[1] < len(words) / 3
    finally:
        tracemalloc.stop()
    assert pieces == pytest.approx(len(words) / 100_000, abs=2)


def test_errors_in_long_lines_name_their_column(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"a line\n" + b"word " * 20 + b"ma\xf1ana")
    with pytest.raises(FormatError, match="line 2: .*0xf1 at column 103"):
        list(read_lines(path, LONGEST))
    path.write_bytes(b"\x80" * 100)
    with pytest.raises(FormatError, match="line 1: .*0x80 at column 1;"):
        list(read_lines(path, LONGEST))


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))
    assert list(read_lines("-")) == [(1, "one"), (2, "two")]
    assert not sys.stdin.buffer.closed


# Errors


@pytest.mark.parametrize("function", [read_all, lambda path: list(read_lines(path)), digest])
def test_file_that_cannot_be_read(tmp_path, function):
    with pytest.raises(JointalignError, match=r"none\.txt: no such file"):
        function(tmp_path / "none.txt")
    with pytest.raises(JointalignError, match="this is a folder"):
        function(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(JointalignError, match="is a file, not a folder"):
        function(tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, "no permission"),
        (errno.EROFS, "cannot be written"),
        (errno.ENOSPC, "no space"),
        (errno.EDQUOT, "quota"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_causes_in_plain_words(number, message):
    with pytest.raises(JointalignError, match=f"a.vec: .*{message}"), plain_errors("a.vec"):
        raise OSError(number, os.strerror(number))


def test_a_link_to_itself(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(link)
    for use in (read_all, digest, file_facts):
        with pytest.raises(JointalignError, match=f"{link}: this link leads back to itself"):
            use(link)
    for place in (link, link / "below"):
        with pytest.raises(JointalignError, match="link leads back to itself"), atomic(place):
            pass
    with pytest.raises(JointalignError, match="a.vec: .*itself"), plain_errors("a.vec"):
        link.resolve(strict=True)
    with pytest.raises(RuntimeError, match="other"), plain_errors("a.vec"):
        raise RuntimeError("other")
    assert link.is_symlink() and names(tmp_path) == ["link"]


def test_an_error_that_names_another_file_keeps_its_name():
    with pytest.raises(JointalignError, match="^no-such-file: "), plain_errors("a.vec"):
        open("no-such-file")  # noqa: PTH123, SIM115


def test_a_closed_pipe_is_no_error_of_a_file():
    with pytest.raises(BrokenPipeError), plain_errors("a.vec"):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


# Writing


def test_atomic_writes_bytes_and_text(tmp_path):
    with atomic(tmp_path / "new" / "folder" / "bytes") as file:
        file.write(b"\xff\r\n")
    assert (tmp_path / "new" / "folder" / "bytes").read_bytes() == b"\xff\r\n"
    with atomic(tmp_path / "text", "w") as file:
        file.write("ñ\n")
    assert (tmp_path / "text").read_bytes() == b"\xc3\xb1\n"


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("write", [atomic, write_bytes, write_text])
@pytest.mark.parametrize("suffix", ["", *COMPRESS])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path, failure, write, suffix):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(failure), write(path) as file:
        file.write("new" if write is write_text else b"new")
        raise failure
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == [path.name]


def test_readers_see_the_old_file_until_the_end(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with atomic(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_disk_full_names_the_file_asked_for(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JointalignError, match=r"a\.vec: no space left"), atomic(tmp_path / "a.vec"):
        pass
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_disk_really_full():
    with pytest.raises(JointalignError, match="/dev/full: no space left"), atomic("/dev/full") as file:
        file.write(b"x" * 100_000)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(JointalignError, match=r"a\.vec: no permission"), atomic(tmp_path / "a.vec"):
        pass


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(JointalignError, match="this is a folder"), atomic(tmp_path):
        pass
    with pytest.raises(JointalignError, match="file"), atomic(tmp_path / "file" / "below"):
        pass
    with pytest.raises(JointalignError, match="too long"), atomic(tmp_path / ("a" * 300)):
        pass
    with pytest.raises(JointalignError, match="mode 'wb' or 'w'"), atomic(tmp_path / "a", "a"):
        pass
    assert names(tmp_path) == ["file"]


def test_links_are_followed_and_devices_left_in_place(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with atomic(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    with atomic("/dev/null") as file:
        file.write(b"new")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_ordinary_permissions(tmp_path):
    (tmp_path / "plain").touch()
    with atomic(tmp_path / "atomic"):
        pass
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_digest(tmp_path):
    (tmp_path / "text.gz").write_bytes(TEXT)
    assert digest(tmp_path / "text.gz") == hashlib.sha256(TEXT).hexdigest()


KILLED = """
import os, sys, time
from jointalign.storage.files import atomic
with atomic(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_writer_leaves_goes_with_the_next_one_and_what_a_living_one_writes_stays(tmp_path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path / name)], stdout=subprocess.PIPE, text=True
        )
        for name in ("killed", "living")
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        writers[0].kill()
        writers[0].wait()
        for leftover in tmp_path.iterdir():
            os.utime(leftover, (0, 0))  # longer ago than a writer takes to hold its file
        assert len(list(tmp_path.iterdir())) == 2
        with atomic(tmp_path / "next", "w") as file:
            file.write("whole")
        left = [path for path in tmp_path.iterdir() if path.name != "next"]
        assert [path.read_bytes() for path in left] == [b"half"]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    os.utime(left[0], (0, 0))
    with atomic(tmp_path / "next", "w") as file:
        file.write("again")
    assert [path.name for path in tmp_path.iterdir()] == ["next"]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "7z"])
def test_archives_are_refused_by_name(tmp_path, kind):
    (tmp_path / "a.txt").write_text("casa\n")
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(tmp_path / "a.txt", "a.txt")
    elif kind == "7z":
        path.write_bytes(b"7z\xbc\xaf\x27\x1c\0\4")
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as archive:
            archive.add(tmp_path / "a.txt", "a.txt")
    with pytest.raises(FormatError, match=f"this is a {kind.partition('.')[0]} archive.*unpack"):
        list(read_lines(path))
    path.rename(tmp_path / "renamed")  # by content, but for a compressed tar
    if kind != "tar.gz":
        with pytest.raises(FormatError, match="archive"):
            list(read_lines(tmp_path / "renamed"))
