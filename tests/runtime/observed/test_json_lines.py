"""A file of telemetry, followed through growth, rotation, truncation and restarts."""

from __future__ import annotations

from pathlib import Path

from runtime.observed.json_lines import JsonLines


def line(number: int) -> str:
    return f'{{"kind": "metric", "series": "s", "at": {number}, "value": {number}}}\n'


def values(source: JsonLines, now: float = 1000.0) -> list[float]:
    """All that it has now."""
    told: list[float] = []
    for _ in range(20):
        reading = source.read(now)
        told += [one.value for one in reading.records if one.kind == "metric"]
        if not reading.more:
            break
    return told


def test_a_line_counts_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(line(1) + line(2)[:20])
    source = JsonLines(path)
    assert values(source) == [1]
    with path.open("a") as file:
        file.write(line(2)[20:] + line(3))
    assert values(source) == [2, 3]
    assert values(source) == []
    source.close()


def test_a_rotated_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(line(1))
    source = JsonLines(path)
    assert values(source) == [1]
    with path.open("a") as file:
        file.write(line(2))
    path.rename(tmp_path / "t.jsonl.1")
    assert values(source) == [2]  # no new file yet
    path.write_text(line(3))
    assert values(source) == [3]
    source.close()


def test_a_restart_finds_its_place_also_in_a_rotated_file(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(line(1))
    first = JsonLines(path)
    position = first.read(0).position
    first.close()
    with path.open("a") as file:
        file.write(line(2))
    again = JsonLines(path, position=position)
    assert values(again) == [2]
    again.close()
    path.rename(tmp_path / "t.jsonl.1")
    path.write_text(line(3))
    after = JsonLines(path, position=position)
    assert values(after) == [2, 3]
    after.close()


def test_a_truncated_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(line(1) + line(2))
    source = JsonLines(path)
    assert values(source) == [1, 2]
    path.write_text(line(7))
    reading = source.read(0)
    assert [one.value for one in reading.records if one.kind == "metric"] == [7]
    assert reading.aside == {"truncated": 1}
    source.close()


def test_what_is_no_record_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("no json\n" + line(1) + '{"kind": "?"}\n' + "x" * 3000 + "\n" + line(2) + "\n" + "y" * 3000)
    source = JsonLines(path, line_bytes=1000)
    reading = source.read(0)
    assert [one.value for one in reading.records if one.kind == "metric"] == [1, 2]
    assert reading.aside == {"unreadable": 3}
    source.read(0)
    with path.open("a") as file:  # the end of a line that is too long, and one that is not
        file.write("yyy\n" + line(3))
    assert values(source) == [3]
    source.close()


def test_a_missing_file_is_a_gap(tmp_path: Path) -> None:
    source = JsonLines(tmp_path / "none.jsonl", name="mine")
    assert source.read(100).records == []
    (gap,) = source.read(160).records
    assert (gap.source, gap.begin, gap.end, gap.reason) == ("mine", 100, 160, "missing")
    (tmp_path / "none.jsonl").write_text(line(1))
    assert values(source) == [1]
    source.close()
