import DocketStore
import DocketTestSupport
import Foundation
import Testing

@testable import DocketSQLite

@Suite("Random statements from both sides")
struct DoorRandomTests {
  @Test("state, history, numbers and times are those of the model")
  func randomStatements() async throws {
    let environment = ProcessInfo.processInfo.environment
    let steps = environment["DOCKET_DOOR_STEPS"].flatMap { Int($0) } ?? 3_000
    let random = SeededGenerator.forTest(named: "random statements through the view")
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      var run = try DoorRun(path, random)
      for _ in 0..<steps { try run.step() }
      try run.finish()
    }
  }
}

/// One database and the model of it, step by step.
private struct DoorRun {
  private var random: SeededGenerator
  private var model = DoorModel()
  /// The model when the transaction began; nil outside one.
  private var begun: DoorModel?
  private let door: DoorTables
  private let server: DoorTables

  init(_ path: String, _ random: SeededGenerator) throws {
    self.random = random
    door = try DoorTables(path)
    server = try DoorTables(path)
  }

  mutating func step() throws {
    let choice = Int.random(in: 0..<100, using: &random)
    switch (choice, begun != nil) {
    case (0..<5, false):
      try door.connection.execute("BEGIN")
      begun = model
    case (0..<15, true): try endTransaction()
    case (15..<40, false): try serve()
    case (40..<42, false): try prune()
    case (42..<44, false): try check(revisions: 10)
    default: try execute(DoorStatement.random(model, &random))
    }
  }

  mutating func finish() throws {
    if begun != nil { try endTransaction() }
    try check(revisions: nil)
  }

  private mutating func endTransaction() throws {
    if Bool.random(using: &random) {
      try door.connection.execute("COMMIT")
    } else {
      try door.connection.execute("ROLLBACK")
      if let begun { model = begun }
    }
    begun = nil
  }

  private mutating func execute(_ statement: DoorStatement) throws {
    // SQLite's clock is that of the system, and both are cut to milliseconds, not always at the same place.
    let earliest = Int64(Date().timeIntervalSince1970 * 1_000) - 1
    var refusal: String?
    do {
      try door.connection.execute(statement.sql)
    } catch {
      refusal = error.message
    }
    if let expected = statement.refusal {
      #expect(refusal?.contains(expected) == true, "\(statement.sql)")
    } else {
      #expect(refusal == nil, "\(statement.sql)")
    }
    // OR ROLLBACK ends the transaction around it.
    if begun != nil, !door.connection.isInTransaction, let begun {
      model = begun
      self.begun = nil
    }

    let actual = try door.changes(after: model.counter)
    let effects = try self.effects(of: actual)
    if statement.isOrdered {
      #expect(effects == statement.effects, "\(statement.sql)")
    } else {
      #expect(counts(effects) == counts(statement.effects), "\(statement.sql)")
    }
    for (change, effect) in zip(actual, effects) {
      #expect(change.at >= max(model.newestAt, earliest), "\(statement.sql)")
      let expected = model.append(effect, at: change.at)
      #expect(change == row(expected), "\(statement.sql)")
    }
  }

  /// What changes did: what a document was after one is what it was before the next, or what it is now.
  private func effects(of changes: [DoorTables.Change]) throws -> [DoorEffect] {
    let rows = try door.rows()
    return try changes.enumerated().map { index, change in
      let next = changes[(index + 1)...].first { $0.previous == change.sequence }
      let after = if let next { next.before } else { rows[change.path] }
      return DoorEffect(
        kind: try #require(DoorEffect.Kind(rawValue: change.kind)), path: change.path, data: after?.data,
        expires: after?.expires)
    }
  }

  private func counts(_ effects: [DoorEffect]) -> [DoorEffect: Int] {
    Dictionary(effects.map { ($0, 1) }, uniquingKeysWith: +)
  }

  /// A few writes of a server, in one transaction; its clock may be ahead.
  private mutating func serve() throws {
    let wall = Int64(Date().timeIntervalSince1970 * 1_000)
    let at = max(model.newestAt, wall) + Int64.random(in: 0...2, using: &random)
    var changes: [DoorModel.Change] = []
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let path = DoorStatement.randomPath(&random)
      var effects: [DoorEffect] = []
      if Bool.random(using: &random) {
        let data = DoorStatement.randomData(&random)
        effects = model.writing(path, data, expires: DoorStatement.randomExpiry(&random))
      } else if let row = model.rows[path] {
        effects = [DoorEffect(kind: row.isExpired ? .expired : .deleted, path: path)]
      }
      for effect in effects { changes.append(model.append(effect, at: at)) }
    }
    try server.write(changes, in: model)
  }

  private mutating func prune() throws {
    guard model.counter > model.horizon + 1 else { return }
    // Never the newest row, from which the counter is read.
    let newest = Int64.random(in: model.horizon..<model.counter, using: &random)
    model.prune(upTo: newest)
    try server.prune(upTo: newest)
  }

  /// Compares everything that is stored with the model.
  /// - Parameter revisions: at how many random revisions the past is read; nil reads it at each.
  private mutating func check(revisions: Int?) throws {
    let rows = try server.rows()
    #expect(rows == model.rows.mapValues(row))
    let tombstones = try server.tombstones()
    #expect(tombstones == model.tombstones)

    let changes = try server.changes(after: 0)
    #expect(changes.map(\.sequence) == Array(model.horizon + 1..<model.counter + 1))
    #expect(changes == model.changes.dropFirst(Int(model.horizon)).map(row))

    let paths = Set(model.changes.map(\.effect.path))
    let all = model.horizon...model.counter
    let chosen = revisions.map { count in (0..<count).map { _ in Int64.random(in: all, using: &random) } } ?? Array(all)
    for path in paths {
      let history = model.changes.filter { $0.effect.path == path }
      for revision in chosen {
        let expected = history.last { $0.sequence <= revision }?.after.map(row)
        let version = walk(
          back: path, to: revision, from: rows[path]?.revision ?? tombstones[path], rows[path], changes)
        #expect(version == expected, "\(path) at \(revision)")
      }
    }
    try checkView()
  }

  /// A document as it was at a revision, by the rule of the table `changes`.
  private func walk(
    back path: DocumentPath, to revision: Int64, from head: Int64?, _ newest: DoorTables.Row?,
    _ changes: [DoorTables.Change]
  ) -> DoorTables.Row? {
    var version = newest
    var link = head
    while let sequence = link, sequence > revision {
      let change = changes[Int(sequence - model.horizon) - 1]
      version = change.before
      link = change.previous
    }
    return version
  }

  /// The view shows what lives, with times that people can read.
  private func checkView() throws {
    let statement = try server.connection.prepare(
      "SELECT collection, id, data, revision, created_at, updated_at, expires_at FROM documents")
    var count = 0
    while try statement.step() {
      count += 1
      let path = DocumentPath(collection: CollectionPath(unchecked: statement.string(0)), id: statement.string(1))
      guard let version = model.live(path) else {
        Issue.record("\(path) is gone or expired, and is shown")
        continue
      }
      let times = [model.time(of: version.creation), model.time(of: version.revision), version.expires]
      #expect(statement.string(2) == version.data)
      #expect(statement.int64(3) == version.revision)
      for (column, time) in zip(Int32(4)..., times) {
        #expect((statement.isNull(column) ? nil : statement.string(column)) == time.map(iso8601))
      }
    }
    #expect(count == model.rows.values.count { !$0.isExpired })
  }

  private func row(_ version: DoorModel.Version) -> DoorTables.Row {
    DoorTables.Row(
      revision: version.revision, created: model.time(of: version.creation), updated: model.time(of: version.revision),
      expires: version.expires, data: version.data)
  }

  private func row(_ change: DoorModel.Change) -> DoorTables.Change {
    DoorTables.Change(
      sequence: change.sequence, previous: change.previous, path: change.effect.path,
      kind: change.effect.kind.rawValue, at: change.at, before: change.before.map(row))
  }

  private func iso8601(_ milliseconds: Int64) -> String {
    let seconds = Date(timeIntervalSince1970: Double(milliseconds / 1_000))
    let fraction = String(milliseconds % 1_000 + 1_000).dropFirst()
    return ISO8601DateFormatter().string(from: seconds).dropLast() + ".\(fraction)Z"
  }
}
