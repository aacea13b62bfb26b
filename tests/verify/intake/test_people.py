"""A CSV of people to invite: what is taken, and what is said of what is not."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.intake import people
from verify.intake.people import Person, RosterRefused, as_csv, read_people
from verify.intake.rows import Refusal

ANN = Person(2, "Ann Lee", "ann@office.example", "Styling")
GOOD = "name,e-mail,team\nAnn Lee,ann@office.example,Styling\n"


def refused(data: str | bytes) -> list[Refusal]:
    with pytest.raises(RosterRefused) as error:
        read_people(data.encode() if isinstance(data, str) else data)
    return list(error.value.refusals)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("e-mail", "Email"),
        "Team,E-Mail,Name\nStyling,ann@office.example,Ann Lee",
        "name,e-mail,team,office\nAnn Lee,ann@office.example,Styling,Berlin\n",
        'name,e-mail,team\n"  Ann\n Lee ", ann@office.example ,Styling,,\n\n,,\n',
    ],
)
def test_however_a_spreadsheet_writes_it(text: str) -> None:
    assert read_people(text.encode()) == [ANN]


def test_a_person_without_a_team_is_fine() -> None:
    assert read_people(b"name,e-mail,team\nAnn,ann@office.example,\n")[0].team == ""


@pytest.mark.parametrize(
    ("row", "column", "word"),
    [
        ("Ann Lee,ann at office,Styling", "e-mail", "Expected an e-mail address"),
        ("Ann Lee,,Styling", "e-mail", "Expected an e-mail address"),
        (" ,ann@office.example,Styling", "name", "Expected a name"),
        (f"{'A' * 81},ann@office.example,Styling", "name", "at most 80 characters"),
        (f"Ann,ann@office.example,{'S' * 81}", "team", "at most 80 characters"),
        (f"Ann,{'a' * 250}@office.example,Styling", "e-mail", "at most 254 characters"),
        ("Ann\x00,ann@office.example,Styling", "name", "characters"),
        ("Ann\x1b[2J,ann@office.example,Styling", "name", "control characters"),
        ("Ann,ann@office.example", "", "Expected 3 cells, found 2"),
        ("Lee, Ann,ann@office.example,Styling", "", "Expected 3 cells, found 4"),
        ('Ann,ann@office.example,"Styling', "", "Expected CSV"),
    ],
)
def test_a_bad_row_is_named_with_what_was_expected(row: str, column: str, word: str) -> None:
    [refusal] = refused(f"name,e-mail,team\nBo,bo@office.example,Styling\n\n{row}")
    assert (refusal.line, refusal.column) == (4, column)
    assert word in refusal.reason


def test_all_bad_rows_are_listed_at_once() -> None:
    found = refused("name,e-mail,team\n,ann,X\nBo,bo@x.example,X\nBea,BO@X.example,X\n")
    assert [(one.line, one.column) for one in found] == [(2, "name"), (2, "e-mail"), (4, "e-mail")]
    assert found[2].reason == "Expected once; row 3 has it, too."


@pytest.mark.parametrize(
    ("header", "columns"),
    [("", ["name", "e-mail", "team"]), ("name,mail", ["team"]), ("name,e-mail,email,team", ["e-mail"])],
)
def test_a_missing_or_doubled_column_is_named(header: str, columns: list[str]) -> None:
    found = refused(f"{header}\nAnn,ann@office.example\n" if header else "")
    assert [(one.line, one.column) for one in found] == [(1, column) for column in columns]
    assert "expected the columns name, e-mail and team" in found[0].reason


def test_a_file_in_another_encoding_says_which_is_expected_and_where_it_broke() -> None:
    [refusal] = refused("name,e-mail,team\nBo,bo@x.example,X\nZoë,zoe@x.example,X".encode("latin-1"))
    assert (refusal.line, refusal.value) == (3, repr(b"\xeb"))
    assert "UTF-8" in refusal.reason


def test_a_workbook_is_no_csv() -> None:
    assert "UTF-8" in refused(b"PK\x03\x04\x14\x00\x06\x00\x08\x00\xb3\xff")[0].reason


def test_a_file_without_people() -> None:
    assert "at least one person" in refused("name,e-mail,team\n\n")[0].reason


def test_ten_thousand_people_and_no_more() -> None:
    rows = [f"P,p{number}@x.example,T" for number in range(people.MAX_PEOPLE)]
    assert len(read_people("\n".join(["name,e-mail,team", *rows]).encode())) == 10_000
    [refusal] = refused("\n".join(["name,e-mail,team", *rows, "P,more@x.example,T"]))
    assert (refusal.line, refusal.reason) == (10_002, "Expected at most 10,000 people in one file.")


def test_a_megabyte_and_no_more() -> None:
    [refusal] = refused(GOOD.encode().ljust(people.MAX_BYTES + 1))
    assert "at most 1,000,000 bytes" in refusal.reason


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for content in (data, GOOD.encode() + data):
        try:
            found = list(read_people(content))
        except RosterRefused as error:
            found = list(error.refusals)
        assert found


names = st.text(st.characters(categories=["L", "Nd", "P"]), min_size=1, max_size=30)


@given(st.lists(st.tuples(names, names), min_size=1, max_size=8))
def test_what_was_read_is_read_again_from_what_is_written(cells: list[tuple[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(["Team", "E-Mail", "Name"])
    writer.writerows((team, f"p{number}@x.example", name) for number, (name, team) in enumerate(cells))
    read = read_people(text.getvalue().encode())
    assert [(one.name, one.team) for one in read] == cells
    assert read_people(as_csv(read).encode()) == read
