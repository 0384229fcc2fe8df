from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitbox.errors import SourceError
from kitbox.sources.web.lists import (
    Wanted,
    check_label,
    from_csv,
    from_folder,
    from_texts,
    read_text,
)

LIST = (
    "\ufeff# what the console saved\r\n\r\nhttp://a/1.jpg?x=1,2\r\n  http://a/2.jpg#top \n"
    '"http://a/3.jpg",\n'
)


def test_a_text_file_as_people_have_them(tmp_path):
    expected = ["http://a/1.jpg?x=1,2", "http://a/2.jpg", "http://a/3.jpg"]
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "list.txt").write_bytes(LIST.lstrip("\ufeff").encode(encoding))
        assert read_text(tmp_path / "list.txt") == expected
    (tmp_path / "list.txt").write_bytes(LIST.encode())
    assert read_text(tmp_path / "list.txt") == expected


@given(st.text())
def test_any_text_gives_lines_without_comments(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("lists") / "x.txt"
    path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    try:
        found = read_text(path)
    except SourceError:
        assert any("\ud800" <= c <= "\udfff" for c in text)
    else:
        assert all(one and one == one.strip() and "#" not in one for one in found)


def test_a_file_per_class_in_the_order_given(tmp_path):
    for name in ("bear", "ant"):
        (tmp_path / f"{name}.txt").write_text(f"http://a/{name}\nhttp://a/both\n")
    found = from_texts({name: tmp_path / f"{name}.txt" for name in ("bear", "ant")})
    assert found == [
        Wanted("http://a/bear", "bear"),
        Wanted("http://a/both", "bear"),
        Wanted("http://a/ant", "ant"),
        Wanted("http://a/both", "ant"),
    ]


def test_a_folder_of_lists(tmp_path):
    (tmp_path / "grizzly bear.txt").write_text("http://a/1\n")
    (tmp_path / "ant.csv").write_text("http://a/2\n")
    (tmp_path / "notes.md").write_text("no list")
    (tmp_path / ".hidden.txt").write_text("no list")
    assert from_folder(tmp_path) == [
        Wanted("http://a/2", "ant"),
        Wanted("http://a/1", "grizzly bear"),
    ]
    (tmp_path / "ant.txt").write_text("http://a/3\n")
    with pytest.raises(SourceError, match=r"same class.*ant"):
        from_folder(tmp_path)


def test_a_csv_with_labels(tmp_path):
    path = tmp_path / "all.csv"
    path.write_text("n;Label;URL\n1;007;http://a/1?b;\n", encoding="utf-8")
    with pytest.raises(SourceError):
        from_csv(path, None, None)  # a row with more cells than the header
    path.write_text('n;Label;URL\n1;007;"http://a/1?b;c"\n2;ant;\n3;ant;http://a/2\n')
    assert from_csv(path, None, None) == [
        Wanted("http://a/1?b;c", "007"),
        Wanted("http://a/2", "ant"),
    ]
    assert from_csv(path, "URL", "n")[0].label == "1"
    with pytest.raises(SourceError, match=r"no column 'url'.*columns n, Label, URL"):
        from_csv(path, "url", None)
    path.write_text("where,what\nhttp://a/1,ant\n")
    with pytest.raises(SourceError, match=r"Which column.*address.*where, what.*Set `address`"):
        from_csv(path, None, None)
    path.write_text("url,label\nhttp://a/1,\nhttp://a/2,ant\n")
    with pytest.raises(SourceError, match=r"1 addresses.*no label.*lines 2"):
        from_csv(path, None, None)
    path.write_text("url,label\nhttp://a/1,../ant\n")
    with pytest.raises(SourceError, match="slash"):
        from_csv(path, None, None)
    path.write_text("")
    with pytest.raises(SourceError, match="empty"):
        from_csv(path, None, None)


@pytest.mark.parametrize(
    "label", ["", " ", "a/b", "a\\b", "..", ".x", "a\nb", "a\0", " a", "a" * 201]
)
def test_classes_that_are_no_folder_s_name(label):
    with pytest.raises(SourceError, match="cannot be the name of a folder"):
        check_label(label)


@given(st.text(min_size=1))
def test_a_class_that_passes_makes_one_folder(tmp_path_factory, label):
    try:
        check_label(label)
        label.encode()
    except (SourceError, UnicodeEncodeError):
        return
    root = tmp_path_factory.mktemp("classes")
    (root / label).mkdir()
    assert [path.name for path in root.iterdir()] == [label]


def test_lists_that_are_not_there_or_hold_nothing(tmp_path):
    (tmp_path / "ants.txt").write_text("# nothing\n")
    with pytest.raises(SourceError, match=r"no list at .*ant\.txt.*Did you mean 'ants\.txt'"):
        from_texts({"ant": tmp_path / "ant.txt"})
    with pytest.raises(SourceError, match="class 'ant' has no address"):
        from_texts({"ant": tmp_path / "ants.txt"})
    with pytest.raises(SourceError, match="cannot be listed"):
        from_folder(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="No list in"):
        from_folder(tmp_path / "empty")
    (tmp_path / "x.txt").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(SourceError, match="not UTF-8"):
        read_text(tmp_path / "x.txt")
    with pytest.raises(SourceError, match="no list at"):
        read_text(tmp_path)
