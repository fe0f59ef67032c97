"""Which language a program is in."""

import pytest

from aide.text.programming import find_language, is_sql, name_language

PROGRAMS = {
    "javascript": "const sum = (a, b) => a + b;\nconsole.log(sum(1, 2));",
    "typescript": "function area(side: number): number {\n  const twice: number = side * side;\n  return twice;\n}",
    "java": "public class Tide {\n  public static void main(String[] a) {\n    System.out.println(3);\n  }\n}",
    "cpp": "#include <iostream>\nint main() {\n  std::cout << 3;\n}",
    "c": '#include <stdio.h>\nint main(void) {\n  printf("%d", 3);\n}',
    "go": "package main\n\nfunc area(side int) int {\n\ttwice := side * side\n\treturn twice\n}",
    "rust": "fn area(side: u32) -> u32 {\n    let mut twice = side * side;\n    twice\n}",
    "ruby": "def area(side)\n  side * side\nend",
    "bash": "#!/bin/bash\nls -l | grep tide | wc -l",
    "sql": "-- the longest\nSELECT name\nFROM boat\nORDER BY length DESC",
}


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_language_is_known_by_its_own_words(language: str) -> None:
    assert name_language(PROGRAMS[language]) == language
    assert name_language(f"```{language}\n{PROGRAMS[language]}\n```") == language


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("SELECT 1", True),
        ("select name from boat", True),
        ("WITH long AS (SELECT * FROM boat) SELECT COUNT(*) FROM long", True),
        ("INSERT INTO boat VALUES ('Ida', 9)", True),
        ("update boat set length = 9 where name = 'Ida'", True),
        ("/* all */ DELETE FROM boat", True),
        ("SELECT a.name FROM boats a JOIN owners an ON a.owner = an.id", True),
        ("SELECT a, b FROM boat", True),
        ("SELECT a FROM boat", True),
        ("select an as x from boat", True),
        ("UPDATE a SET length=9 WHERE name = 'Ida'", True),
        ("Select the boat that you like best.", False),
        ("Select a boat from the list.", False),
        ("Select an 8-metre boat, and a sail.", False),
        ("Select a set of sails.", False),
        ("Update a set of charts before noon.", False),
        ("Update the harbour master before noon.", False),
        ("With a boat of nine metres you need a licence.", False),
        ("", False),
    ],
)
def test_sql_is_a_statement_and_no_sentence(text: str, sql: bool) -> None:
    assert is_sql(text) is sql


def test_a_language_is_that_of_nearly_all_programs() -> None:
    assert find_language([PROGRAMS["go"]] * 4 + [PROGRAMS["ruby"]], 0.8) == "go"
    assert find_language([PROGRAMS["go"]] * 3 + [PROGRAMS["ruby"]] * 2, 0.8) == ""
    assert find_language(["Tides come twice a day."], 0.8) == ""
