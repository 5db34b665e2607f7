import DocketStore
import Testing

@testable import DocketSQLite
@testable import DocketService

@Suite("The words that a search looks for")
struct SearchedWordsTests {
  @Test(
    "are counted without the operators between them, unless these are quoted",
    arguments: [
      ("swift", 1), ("swift AND nio", 2), ("a OR b NOT c", 3), ("NEAR(a b)", 3), ("NEAR NEAR", 2), ("or and", 2),
      (#""OR" "AND" OR "NOT""#, 3), (#""a OR b""#, 3), (#""a ""OR"" b""#, 3), (#"a AND "b" AND c"#, 3),
      ("ORAND", 1), ("a_b.c-d", 4), ("a\u{A0}b", 2), ("Ελλάδα και Κύπρος", 3), ("東京都", 1), ("café", 1),
      ("cafe\u{301}s", 1), ("a\u{305}b", 2), ("a\u{2003}OR\u{2003}b", 3), ("OR\u{A0}OR\u{A0}AND", 3),
      ("a\u{A0}OR b", 3), ("OR_OR", 2), ("OR+OR", 0), ("", 0), ("\"\"", 0),
    ])
  func counted(expression: String, count: Int) {
    #expect(SearchedWords.count(in: expression) == count)
  }

  @Test("end wherever SQLite's tokenizer has them end")
  func tokenizer() throws {
    let connection = try Connection(path: ":memory:", access: .create)
    try connection.execute(
      """
      CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'unicode61 remove_diacritics 2');
      CREATE VIRTUAL TABLE words USING fts5vocab(texts, instance);
      WITH RECURSIVE scalars(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM scalars WHERE value < 0x1FFFF)
      INSERT INTO texts(rowid, text) SELECT value, 'a' || char(value) || 'b' FROM scalars
        WHERE value NOT BETWEEN 0xD800 AND 0xDFFF;
      """)
    let ends = try connection.prepare("SELECT doc FROM words GROUP BY doc HAVING count(*) > 1")
    var number = 0
    while try ends.step() {
      let scalar = try #require(Unicode.Scalar(UInt32(ends.int64(0))))
      number += 1
      #expect(!SearchedWords.isPartOfWord(scalar), "U+\(String(scalar.value, radix: 16))")
    }
    #expect(number > 7_000)
    connection.close()
  }
}
