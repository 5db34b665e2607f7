import DocketStore

/// A statement through the view, and what the model says it does.
struct DoorStatement {
  let sql: String
  var effects: [DoorEffect] = []
  /// Whether the effects come in this order; SQLite is free to choose in which order it updates rows.
  var isOrdered = true
  /// A part of the message with which it fails.
  var refusal: String?

  static let collections = ["/a/", "/b/c/", "/item/"]
  // The last two look the same and are different ids.
  static let ids = ["1", "2", "x y", "%2F", "\u{e9}", "e\u{301}"]

  static func randomPath(_ random: inout some RandomNumberGenerator) -> DocumentPath {
    DocumentPath(
      collection: CollectionPath(unchecked: pick(collections, &random)), id: pick(ids, &random))
  }

  static func randomData(_ random: inout some RandomNumberGenerator) -> String {
    let space = Bool.random(using: &random) ? " " : ""
    let text = pick(["", "plain", "Gr\u{fc}\u{df}e", "\u{1F600}", "a\\u0000b", "'"], &random)
    return "{\"n\":\(space)\(Int.random(in: 0..<100, using: &random)),\"s\":\(space)\"\(text)\"}"
  }

  static func randomExpiry(_ random: inout some RandomNumberGenerator) -> Int64? {
    pick([nil, nil, nil, DoorModel.future, DoorModel.past], &random)
  }

  static func random(_ model: DoorModel, _ random: inout some RandomNumberGenerator) -> DoorStatement {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<7: insert(model, &random)
    case 7..<9: setField(model, &random)
    case 9..<11: replaceData(model, &random)
    case 11..<13: updateFrom(model, &random)
    case 13..<15: move(model, &random)
    case 15: moveCollection(model, &random)
    case 16..<18: delete(model, &random)
    case 18: insertFromSelect(model, &random)
    default: refused(&random)
    }
  }

  // MARK: The kinds of statements

  private static func insert(_ model: DoorModel, _ random: inout some RandomNumberGenerator) -> DoorStatement {
    let clause = pick(["", "OR ABORT", "OR IGNORE", "OR REPLACE", "OR FAIL", "OR ROLLBACK"], &random)
    var statement = DoorStatement(sql: "")
    var values: [String] = []
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let path = randomPath(&random)
      let data = randomData(&random)
      let expires = randomExpiry(&random)
      values.append("(\(quote(path.collection.description)), \(quote(path.id)), \(quote(data)), \(quote(expires)))")
      guard statement.refusal == nil else { continue }
      let model = model.after(statement.effects)
      if model.live(path) == nil || clause == "OR REPLACE" {
        statement.effects += model.writing(path, data, expires: expires)
      } else if clause != "OR IGNORE" {
        statement.refusal = "document.already_exists"
        if clause != "OR FAIL" { statement.effects = [] }
      }
    }
    return DoorStatement(
      sql: "INSERT \(clause) INTO documents(collection, id, data, expires_at) VALUES \(values.joined(separator: ", "))",
      effects: statement.effects, refusal: statement.refusal)
  }

  private static func insertFromSelect(_ model: DoorModel, _ random: inout some RandomNumberGenerator) -> DoorStatement
  {
    let source = randomPath(&random)
    let target = randomPath(&random)
    let sql = """
      INSERT OR REPLACE INTO documents(collection, id, data) SELECT \(quote(target.collection.description)), \
      \(quote(target.id)), data FROM documents WHERE \(condition(source))
      """
    guard let row = model.live(source) else { return DoorStatement(sql: sql) }
    return DoorStatement(sql: sql, effects: model.writing(target, row.data, expires: nil))
  }

  private static func setField(_ model: DoorModel, _ random: inout some RandomNumberGenerator) -> DoorStatement {
    let collection = pick(collections, &random)
    let number = Int.random(in: 0..<100, using: &random)
    return DoorStatement(
      sql: "UPDATE documents SET data = json_set(data, '$.n', \(number)) WHERE collection = \(quote(collection))",
      effects: livePaths(model, in: collection).map { path, row in
        DoorEffect(kind: .updated, path: path, data: setting(number, in: row.data), expires: row.expires)
      },
      isOrdered: false)
  }

  private static func replaceData(_ model: DoorModel, _ random: inout some RandomNumberGenerator) -> DoorStatement {
    let path = randomPath(&random)
    let data = randomData(&random)
    let expires = randomExpiry(&random)
    return DoorStatement(
      sql: """
        UPDATE documents SET data = \(quote(data)), expires_at = \(quote(expires)), id = \(quote(path.id)) \
        WHERE \(condition(path))
        """,
      effects: model.live(path) == nil
        ? [] : [DoorEffect(kind: .updated, path: path, data: data, expires: expires)])
  }

  private static func updateFrom(_ model: DoorModel, _ random: inout some RandomNumberGenerator) -> DoorStatement {
    let paths = (0..<3).map { _ in randomPath(&random) }
    let numbers = paths.map { _ in Int.random(in: 0..<100, using: &random) }
    let values = zip(paths, numbers).map { "(\(quote($0.collection.description)), \(quote($0.id)), \($1))" }
    return DoorStatement(
      sql: """
        WITH x(c, i, n) AS (VALUES \(values.joined(separator: ", "))) UPDATE documents \
        SET data = json_set(data, '$.n', x.n) FROM x WHERE collection = x.c AND id = x.i
        """,
      effects: zip(paths, numbers).compactMap { path, number in
        model.live(path).map {
          DoorEffect(kind: .updated, path: path, data: setting(number, in: $0.data), expires: $0.expires)
        }
      },
      isOrdered: false)
  }

  private static func move(_ model: DoorModel, _ random: inout some RandomNumberGenerator) -> DoorStatement {
    let source = randomPath(&random)
    let target = randomPath(&random)
    let clause = pick(["", "OR REPLACE", "OR IGNORE"], &random)
    let sql = """
      UPDATE \(clause) documents SET collection = \(quote(target.collection.description)), id = \(quote(target.id)) \
      WHERE \(condition(source))
      """
    guard let row = model.live(source) else { return DoorStatement(sql: sql) }
    if source == target {
      let effect = DoorEffect(kind: .updated, path: source, data: row.data, expires: row.expires)
      return DoorStatement(sql: sql, effects: [effect])
    }
    guard model.live(target) == nil else { return DoorStatement(sql: sql, refusal: "exists; delete it first") }
    return DoorStatement(
      sql: sql,
      effects: [DoorEffect(kind: .deleted, path: source)] + model.writing(target, row.data, expires: row.expires))
  }

  private static func moveCollection(_ model: DoorModel, _ random: inout some RandomNumberGenerator) -> DoorStatement {
    let source = collections[0]
    let target = collections[1]
    var statement = DoorStatement(
      sql: "UPDATE documents SET collection = \(quote(target)) WHERE collection = \(quote(source))", isOrdered: false)
    for (path, row) in livePaths(model, in: source) {
      let moved = DocumentPath(collection: CollectionPath(unchecked: target), id: path.id)
      guard model.live(moved) == nil else {
        return DoorStatement(sql: statement.sql, refusal: "exists; delete it first")
      }
      statement.effects.append(DoorEffect(kind: .deleted, path: path))
      statement.effects += model.writing(moved, row.data, expires: row.expires)
    }
    return statement
  }

  private static func delete(_ model: DoorModel, _ random: inout some RandomNumberGenerator) -> DoorStatement {
    if Int.random(in: 0..<4, using: &random) == 0 {
      let collection = pick(collections, &random)
      return DoorStatement(
        sql: "DELETE FROM documents WHERE collection = \(quote(collection))",
        effects: livePaths(model, in: collection).map { DoorEffect(kind: .deleted, path: $0.0) }, isOrdered: false)
    }
    let path = randomPath(&random)
    return DoorStatement(
      sql: "DELETE FROM documents WHERE \(condition(path))",
      effects: model.live(path) == nil ? [] : [DoorEffect(kind: .deleted, path: path)])
  }

  private static func refused(_ random: inout some RandomNumberGenerator) -> DoorStatement {
    let clause = pick(["", "OR IGNORE", "OR REPLACE", "OR FAIL"], &random)
    let (values, refusal) = pick(
      [
        ("('/a/', '1', '{')", "valid JSON"), ("('/a/', '1', NULL)", "NULL"), ("('a', '1', '1')", "collection must be"),
        ("('/a/', '/', '1')", "id must be"), ("('/a/', '9', '1'), ('/a/', '..', '1')", "id must be"),
      ], &random)
    var statement = DoorStatement(
      sql: "INSERT \(clause) INTO documents(collection, id, data) VALUES \(values)", refusal: refusal)
    // A refusal is an ABORT of its own, so even OR FAIL keeps nothing of the statement.
    statement.effects = []
    return statement
  }

  // MARK: Parts

  private static func livePaths(_ model: DoorModel, in collection: String) -> [(DocumentPath, DoorModel.Version)] {
    model.rows.filter { $0.key.collection.description == collection && !$0.value.isExpired }.map { ($0.key, $0.value) }
  }

  /// The text that SQLite's `json_set` makes of one of the test's documents.
  private static func setting(_ number: Int, in data: String) -> String {
    let text = data.split(separator: "\"", omittingEmptySubsequences: false)[5]
    return "{\"n\":\(number),\"s\":\"\(text)\"}"
  }

  private static func condition(_ path: DocumentPath) -> String {
    "collection = \(quote(path.collection.description)) AND id = \(quote(path.id))"
  }

  static func quote(_ text: String?) -> String {
    guard let text else { return "NULL" }
    return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  private static func quote(_ expires: Int64?) -> String {
    switch expires {
    case DoorModel.past: "'2001-01-01'"
    case DoorModel.future: "'2100-01-01 00:00:00'"
    default: "NULL"
    }
  }
}

func pick<Element>(_ choices: [Element], _ random: inout some RandomNumberGenerator) -> Element {
  choices[Int.random(in: 0..<choices.count, using: &random)]
}
