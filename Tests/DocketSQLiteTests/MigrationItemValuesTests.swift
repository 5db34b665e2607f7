import DocketTestSupport
import Migrations
import Testing

@testable import DocketSQLite

@Suite("The index on the values of the list")
struct MigrationItemValuesTests {
  func database() throws -> Connection {
    let connection = try Connection(path: ":memory:", access: .create)
    for migration in MigrationCatalog.migrations { try connection.execute(migration.sql) }
    return connection
  }

  func plan(_ connection: Connection, _ query: String) throws -> String {
    let statement = try connection.prepare("EXPLAIN QUERY PLAN " + query)
    var plan: [String] = []
    while try statement.step() { plan.append(statement.string(3)) }
    return plan.joined(separator: "; ")
  }

  @Test("the schema holds the very expression that queries are written with")
  func sameExpression() throws {
    let sql = try #require(
      try database().string("SELECT sql FROM sqlite_schema WHERE name = '\(ItemValueIndex.name)'"))
    let spaced = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(spaced.contains("( -- "))
    #expect(spaced.contains(" \(ItemValueIndex.expression), id ) WHERE collection = '/item/'"))
  }

  @Test("a value is looked up in the index, in the order of ids")
  func equality() throws {
    let query = """
      SELECT id, data FROM document_rows WHERE collection = '/item/' \
      AND \(ItemValueIndex.expression) = \(ItemValueIndex.expression(of: "?1")) ORDER BY id
      """
    #expect(try plan(database(), query) == "SEARCH document_rows USING INDEX item_values (<expr>=?)")
  }

  @Test("a range of numbers is looked up in the index where the query names it")
  func range() throws {
    let query = """
      SELECT id, data FROM document_rows INDEXED BY \(ItemValueIndex.name) WHERE collection = '/item/' \
      AND \(ItemValueIndex.expression) BETWEEN ?1 AND ?2
      """
    #expect(try plan(database(), query) == "SEARCH document_rows USING INDEX item_values (<expr>>? AND <expr><?)")
  }

  @Test("no type's key is that of another, and equal strings have equal keys however they are escaped")
  func keys() throws {
    let connection = try database()
    let statement = try connection.prepare("SELECT quote(\(ItemValueIndex.expression(of: "?1")))")
    func key(_ text: String) throws -> String {
      statement.bind(text, at: 1)
      defer { statement.reset() }
      #expect(try statement.step())
      return statement.string(0)
    }
    let texts = ["{}", "[]", "null", "true", "false", "\"\"", "\"true\"", "\"o\"", "0", "1", "1.5", "\"1\""]
    #expect(Set(try texts.map(key)).count == texts.count)
    #expect(try key("\"\\u00e9\\n\"") == key("\"\u{e9}\\u000a\""))
    #expect(try key("1e2") == "100.0")
    #expect(try connection.int64("SELECT 100 = 100.0") == 1)
    let long = String(repeating: "x", count: 100)
    #expect(try key("\"\(long)y\"") == key("\"\(long)z\""))
  }
}
