import DocketJSON
import DocketTestSupport
import Foundation
import Testing

@testable import DocketSQLite

@Suite("What the view refuses, and how it says so")
struct DoorRefusalTests {
  /// A database in memory and a way to write a document into it.
  struct Door {
    let connection: Connection

    init() throws {
      connection = try Connection(path: ":memory:", access: .create)
      for migration in MigrationTests.extended { try connection.execute(migration.sql) }
    }

    /// The message with which a statement fails; nil if it does not.
    func message(_ sql: String) -> String? {
      do throws(SQLiteError) {
        try connection.execute(sql)
        return nil
      } catch {
        return error.message
      }
    }

    /// Inserts a document whose parts are SQL expressions, replacing one that is there.
    func insert(collection: String = "'/a/'", id: String = "'1'", data: String = "'1'", expires: String = "NULL")
      -> String?
    {
      message(
        """
        INSERT OR REPLACE INTO documents(collection, id, data, expires_at)
        VALUES (\(collection), \(id), \(data), \(expires))
        """)
    }

    var changes: Int64? { get throws { try connection.int64("SELECT count(*) FROM changes") } }
  }

  /// `count` times the byte `x`, as an SQL expression.
  static func repeated(_ text: String, _ count: Int) -> String {
    "replace(hex(zeroblob(\(count))), '00', '\(text)')"
  }

  static let depth129 = "\(repeated("[", 129)) || \(repeated("]", 129))"
  static let mixedDepth129 = "'{\"a\":' || \(repeated("[", 128)) || \(repeated("]", 128)) || '}'"

  static let jsonRefusal = "data must be valid JSON, such as {\"a\": 1} or \"text\" with its quotes"
  static let textRefusal = "data must be text that holds JSON, not a BLOB"
  static let nulRefusal =
    "collection, id and data must not hold the character NUL (in JSON strings, \\u0000 is allowed)"
  static let utf8Refusal = "collection, id and data must be valid UTF-8"
  static let depthRefusal = "data must not be nested deeper than 128 levels"
  static let sizeRefusal = "data must be at most 1 MiB (1,048,576 bytes)"

  @Test(
    "data",
    arguments: [
      ("NULL", "data must not be NULL; JSON null is the text 'null', and DELETE removes a document"),
      ("x'7b7d'", textRefusal), ("9e999", jsonRefusal),
      ("''", jsonRefusal), ("'{a: 1}'", jsonRefusal), ("'hello'", jsonRefusal), ("'[1,]'", jsonRefusal),
      ("'{} {}'", jsonRefusal), ("'\"' || char(10) || '\"'", jsonRefusal), ("char(65279) || '1'", jsonRefusal),
      (repeated("[", 100_000), jsonRefusal),
      ("'1' || char(0)", nulRefusal), ("'1' || char(0) || '{'", nulRefusal), ("'\"' || char(0) || '\"'", nulRefusal),
      ("CAST(x'22ff22' AS TEXT)", utf8Refusal), ("CAST(x'22c3' || x'22' AS TEXT)", utf8Refusal),
      ("CAST(x'228022' AS TEXT)", utf8Refusal), ("CAST(x'22c0af22' AS TEXT)", utf8Refusal),
      ("CAST(x'22eda08022' AS TEXT)", utf8Refusal), ("CAST(x'22f490808022' AS TEXT)", utf8Refusal),
      (depth129, depthRefusal), (mixedDepth129, depthRefusal),
      ("'\"' || \(repeated("x", 1_048_575)) || '\"'", sizeRefusal),
      // 524,288 characters of two bytes: the limit counts bytes.
      ("'\"' || \(repeated("\u{fc}", 524_288)) || '\"'", sizeRefusal),
    ])
  func data(expression: String, refusal: String) throws {
    let door = try Door()
    #expect(door.insert(data: expression) == refusal)
    #expect(try door.changes == 0)
    #expect(door.insert() == nil)
    #expect(door.message("UPDATE documents SET data = \(expression)") == refusal)
    #expect(try door.connection.string("SELECT data FROM documents") == "1")
  }

  @Test(
    "data at the limits is taken",
    arguments: [
      "'\"' || \(repeated("x", 1_048_574)) || '\"'", "\(repeated("[", 128)) || \(repeated("]", 128))",
      "'[' || \(repeated("[],", 1_000)) || '[]]'", "'\"' || \(repeated("[{", 1_000)) || '\"'", "'\"\\u0000\"'",
      "'\"' || char(127, 128, 2047, 2048, 65533, 65534, 65535, 65536, 1114111) || '\"'", "' null '",
      "'\"' || \(repeated("\u{4e2d}\u{6587} ABC", 90_000)) || '\"'",
    ])
  func dataAtTheLimits(expression: String) throws {
    let door = try Door()
    #expect(door.insert(data: expression) == nil)
    #expect(try door.connection.int64("SELECT data = \(expression) FROM documents") == 1)
  }

  static let collectionRefusal = "collection must be like /notes/: text with a slash at both ends"
  static let segmentRefusal = "collection must be like /notes/ or /users/7/orders/: no segment is empty, . or .."
  static let reservedRefusal = "collection must not begin with /_: those names are for Docket itself"
  static let idRefusal = "id must be text without a slash, not empty, . or .."
  static let controlRefusal = "collection and id must not hold control characters"
  static let lengthRefusal = "collection and id must be at most 1,024 bytes in all"

  @Test(
    "collections",
    arguments: [
      ("NULL", collectionRefusal), ("x'2f612f'", collectionRefusal), ("7", collectionRefusal),
      ("''", collectionRefusal),
      ("'notes'", collectionRefusal), ("'/notes'", collectionRefusal), ("'notes/'", collectionRefusal),
      ("'/'", collectionRefusal), ("'//'", collectionRefusal), ("'//a/'", segmentRefusal), ("'/a//'", segmentRefusal),
      ("'/a//b/'", segmentRefusal), ("'/./'", segmentRefusal), ("'/../'", segmentRefusal), ("'/a/../'", segmentRefusal),
      ("'/_x/'", reservedRefusal), ("'/_/'", reservedRefusal), ("'/a' || char(10) || '/'", controlRefusal),
      ("'/' || char(127) || '/'", controlRefusal), ("'/a' || char(0) || '/'", collectionRefusal),
      ("'/a/' || char(0) || '/'", nulRefusal), ("CAST(x'2fff2f' AS TEXT)", utf8Refusal),
      ("'/' || \(repeated("x", 1_022)) || '/'", lengthRefusal),
    ])
  func collections(expression: String, refusal: String) throws {
    let door = try Door()
    #expect(door.insert(collection: expression) == refusal)
    #expect(door.insert() == nil)
    #expect(door.message("UPDATE documents SET collection = \(expression)") == refusal)
    #expect(try door.connection.string("SELECT collection FROM documents") == "/a/")
    #expect(try door.changes == 1)
  }

  @Test(
    "ids",
    arguments: [
      ("NULL", idRefusal), ("x'31'", idRefusal), ("''", idRefusal), ("'.'", idRefusal), ("'..'", idRefusal),
      ("'a/b'", idRefusal), ("'/'", idRefusal), ("'a' || char(9)", controlRefusal), ("char(31)", controlRefusal),
      ("char(127)", controlRefusal), ("'a' || char(0)", nulRefusal), ("char(0)", nulRefusal),
      ("'a' || char(0) || '/'", idRefusal), ("CAST(x'e28022' AS TEXT)", utf8Refusal),
      (repeated("x", 1_022), lengthRefusal), (repeated("\u{fc}", 511), lengthRefusal),
    ])
  func ids(expression: String, refusal: String) throws {
    let door = try Door()
    #expect(door.insert(id: expression) == refusal)
    #expect(door.insert() == nil)
    #expect(door.message("UPDATE documents SET id = \(expression)") == refusal)
    #expect(try door.connection.string("SELECT id FROM documents") == "1")
    #expect(try door.changes == 1)
  }

  @Test("paths at the limits are taken, and a number may stand for an id")
  func paths() throws {
    let door = try Door()
    #expect(door.insert(id: Self.repeated("x", 1_021)) == nil)
    #expect(door.insert(collection: "'/users/7/_orders/...'||'/'", id: "'_a ?%2F:'") == nil)
    #expect(door.insert(collection: "'/' || char(128, 233, 65535, 128512) || '/'") == nil)
    #expect(door.insert(id: "42") == nil)
    #expect(door.message("UPDATE documents SET id = 42, data = '2' WHERE id = '42'") == nil)
    #expect(try door.connection.string("SELECT data FROM documents WHERE id = '42'") == "2")
    #expect(try door.connection.string("SELECT group_concat(kind) FROM changes WHERE id = '42'") == "created,updated")
  }

  @Test("a number may stand for its JSON text, in an INSERT and in an UPDATE", arguments: ["1", "-1.5", "1e300"])
  func numbers(expression: String) throws {
    let door = try Door()
    #expect(door.insert(data: expression) == nil)
    #expect(try door.connection.int64("SELECT data = CAST(\(expression) AS TEXT) FROM documents") == 1)
    #expect(door.message("UPDATE documents SET data = \(expression)") == nil)
  }

  @Test("times", arguments: ["'soon'", "'12:00'", "'now'", "1893456000", "'2030-13-01'", "x'32303330'", "''"])
  func times(expression: String) throws {
    let door = try Door()
    let refusal = "expires_at must be a time of UTC such as 2030-01-31 12:00:00, or NULL"
    #expect(door.insert(expires: expression) == refusal)
    #expect(door.insert() == nil)
    #expect(door.message("UPDATE documents SET expires_at = \(expression)") == refusal)
  }

  @Test("every millisecond of a time survives an update that does not touch it")
  func timesSurvive() throws {
    let door = try Door()
    #expect(door.insert(expires: "'2030-01-31T12:00:00.123Z'") == nil)
    for offset in stride(from: Int64(0), to: 86_400_000_000, by: 1_234_567_891 / 8) {
      let time = 1_800_000_000_000 + offset
      try door.connection.execute("UPDATE document_rows SET expires_at = \(time)")
      try door.connection.execute("UPDATE documents SET data = '2'")
      #expect(try door.connection.int64("SELECT expires_at FROM document_rows") == time)
    }
  }

  @Test(
    "what Docket sets cannot be set", arguments: ["revision = 7", "created_at = '2001-01-01'", "updated_at = NULL"])
  func ownColumns(assignment: String) throws {
    let door = try Door()
    #expect(door.insert() == nil)
    let refusal = "revision, created_at and updated_at are set by Docket"
    #expect(door.message("UPDATE documents SET \(assignment)") == refusal)
    #expect(door.message("UPDATE documents SET id = 'moved', \(assignment)") == refusal)
  }

  @Test("an INSERT of a document that exists says so, and upserts are not for views")
  func existing() throws {
    let door = try Door()
    #expect(door.insert() == nil)
    let insert = "INSERT INTO documents(collection, id, data) VALUES ('/a/', '1', '2')"
    #expect(door.message(insert) == "UNIQUE constraint failed: document.already_exists")
    #expect(door.message(insert + " ON CONFLICT DO NOTHING") == "cannot UPSERT a view")
    #expect(try door.changes == 1)
  }

  @Test("a row that UPDATE ... FROM moves to two places is moved once")
  func movedTwice() throws {
    let door = try Door()
    #expect(door.insert() == nil)
    try door.connection.execute(
      "UPDATE documents SET id = x.id FROM (SELECT 'b' AS id UNION ALL SELECT 'c') AS x WHERE documents.id = '1'")
    #expect(try door.connection.int64("SELECT count(*) FROM documents") == 1)
    #expect(try door.connection.string("SELECT group_concat(kind) FROM changes") == "created,deleted,created")
  }
}
