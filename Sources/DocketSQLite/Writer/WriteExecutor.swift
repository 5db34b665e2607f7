import CSQLite
import DocketJSON
import DocketStore
import NIOCore

/// Carries out single writes inside the writer's open transaction.
///
/// Whether a write happens is decided before anything is written: `nothing` and `refused` leave no trace.
final class WriteExecutor {
  /// Numbers and times of one group.
  struct Group {
    /// The newest change so far.
    var sequence: Int64
    /// The time of the group's changes; it never falls.
    private(set) var at: Int64
    /// The time by which documents expire.
    let wall: Int64
    /// Of a batch: the sequence of its first change.
    private(set) var batch: Int64?

    init(sequence: Int64, at: Int64, wall: Int64) {
      self.sequence = sequence
      self.at = at
      self.wall = wall
    }

    /// The same, for changes that stand under one mark.
    func asBatch() -> Group {
      var group = self
      group.batch = sequence + 1
      return group
    }

    fileprivate mutating func nextSequence() -> Int64 {
      sequence += 1
      return sequence
    }

    /// Goes on behind a change that somebody else has made.
    fileprivate mutating func goOn(behind newest: (sequence: Int64, at: Int64)) {
      sequence = max(sequence, newest.sequence)
      at = max(at, newest.at)
    }
  }

  private let tables: DocumentTables
  private let matches: FirstMatch
  private let savepoint: Savepoint
  /// Whether a write that the database refuses, by a trigger of its operator's say, is undone by itself. Otherwise the
  /// group cannot be kept; each write pays for a savepoint.
  var undoesRefusals = false
  private var identifiers = IdentifierSource()
  private let options: SQLiteStoreOptions

  init(_ connection: Connection, tables: DocumentTables, options: SQLiteStoreOptions) throws(SQLiteError) {
    self.tables = tables
    self.options = options
    matches = try FirstMatch(connection, searchMilliseconds: options.batchDeadlineMilliseconds)
    savepoint = try Savepoint(connection)
  }

  /// Carries out one write.
  /// - Throws: what SQLite could not do; the transaction cannot be kept then.
  func run(_ write: Write, in group: inout Group) throws(SQLiteError) -> Result<WriteOutcome, StoreError> {
    guard write.terms.isDryRun || undoesRefusals else { return try perform(write, in: &group) }
    // What would happen is found out by doing it.
    var trial = group
    try tables.writePending()
    try savepoint.set()
    let answer: Result<WriteOutcome, StoreError>
    do {
      answer = try perform(write, in: &trial)
      try tables.writePending()
    } catch {
      guard undoesRefusals, savepoint.isLeft(behind: error) else { throw error }
      tables.forgetCurrent(sequence: group.sequence)
      try savepoint.goBack()
      return .failure(.refused(reason: error.message))
    }
    if write.terms.isDryRun {
      tables.forgetCurrent(sequence: group.sequence)
      try savepoint.goBack()
    } else {
      try savepoint.release()
      group = trial
    }
    return answer
  }

  private func perform(_ write: Write, in group: inout Group) throws(SQLiteError) -> Result<WriteOutcome, StoreError> {
    var terms = write.terms
    if let rule = tables.rules[write.action.collection] {
      if rule.requiresCondition, terms.condition == nil, write.action.document != nil {
        return .failure(.conditionRequired(write.action.collection))
      }
      terms.lifetime = terms.lifetime ?? rule.lifetime
    }
    switch write.action {
    case .create(let collection, let data):
      return try create(in: collection, data: data, terms, &group)
    case .put(let path, let data):
      return try put(path, data: data, terms, &group)
    case .mergePatch(let path, let patch):
      return try change(path, terms, &group) { target throws(JSONPatchError) in
        patch.withUnsafeReadableBytes { MergePatch.apply($0, to: target) }
      }
    case .jsonPatch(let path, let patch):
      let maximumBytes = options.documentBytes
      return try change(path, terms, &group) { target throws(JSONPatchError) in
        try patch.apply(to: target, maximumBytes: maximumBytes)
      }
    case .delete(let path):
      return .success(try delete(path, terms, &group))
    case .replaceFirst(let collection, let value, let replacement):
      switch try firstMatch(in: collection, equalTo: value, wall: group.wall) {
      case .success(let id?):
        return try put(DocumentPath(collection: collection, id: id), data: replacement, terms, &group)
      case .success(nil): return .success(.notFound)
      case .failure(let error): return .failure(error)
      }
    case .deleteFirst(let collection, let value):
      switch try firstMatch(in: collection, equalTo: value, wall: group.wall) {
      case .success(let id?):
        return .success(try delete(DocumentPath(collection: collection, id: id), terms, &group))
      case .success(nil): return .success(.notFound)
      case .failure(let error): return .failure(error)
      }
    }
  }

  /// The number of the next change.
  private func nextSequence(_ group: inout Group) throws(SQLiteError) -> Int64 {
    try followTriggers(&group)
    return group.nextSequence()
  }

  /// Triggers of an operator's may have made changes within the transaction; those for writes of a batch belong to it.
  func followTriggers(_ group: inout Group) throws(SQLiteError) {
    guard let newest = try tables.newestOfTriggers() else { return }
    if let batch = group.batch, newest.sequence > group.sequence {
      try tables.mark(changesBehind: group.sequence, as: batch)
    }
    group.goOn(behind: newest)
  }

  private func firstMatch(
    in collection: CollectionPath, equalTo value: ByteBuffer, wall: Int64
  ) throws(SQLiteError) -> Result<String?, StoreError> {
    try tables.writePending()
    return try matches.first(in: collection, equalTo: value, wall: wall)
  }

  private func create(
    in collection: CollectionPath, data: ByteBuffer, _ terms: WriteTerms, _ group: inout Group
  ) throws(SQLiteError) -> Result<WriteOutcome, StoreError> {
    // No id is empty.
    if let duplicate = try duplicate(of: data, in: collection, id: "", &group) { return .failure(duplicate) }
    while true {
      let path = DocumentPath(collection: collection, id: identifiers.next(milliseconds: group.at))
      // Somebody may have written a document under this very id by hand; then the next one is tried.
      let row = try tables.find(path.collection, path.id)
      tables.release()
      if row == nil { return .success(.created(path, try insert(data, terms, &group))) }
    }
  }

  private func put(
    _ path: DocumentPath, data: ByteBuffer, _ terms: WriteTerms, _ group: inout Group
  ) throws(SQLiteError) -> Result<WriteOutcome, StoreError> {
    var row = try tables.find(path.collection, path.id)
    defer { tables.release() }
    if let failure = terms.failure(row, wall: group.wall) { return .success(failure) }
    if isAnythingUnique(in: path.collection) {
      if let duplicate = try duplicate(of: data, in: path.collection, id: path.id, &group) {
        return .failure(duplicate)
      }
      row = try tables.find(path.collection, path.id)
    }
    guard let row else {
      tables.release()
      return .success(.created(path, try insert(data, terms, &group)))
    }
    if row.isExpired(wall: group.wall) {
      let end = try nextSequence(&group)
      try tables.record(.expired, sequence: end, previous: row.revision, at: group.at, batch: group.batch, before: row)
      let revision = try nextSequence(&group)
      try tables.record(.created, sequence: revision, previous: end, at: group.at, batch: group.batch, before: nil)
      try tables.update(
        row, revision: revision, created: group.at, updated: group.at, expires: terms.expires(wall: group.wall),
        data: data)
      return .success(.created(path, Revision(revision)))
    }
    return .success(.replaced(path, try update(row, expires: terms.expires(wall: group.wall), data: data, &group)))
  }

  private func delete(
    _ path: DocumentPath, _ terms: WriteTerms, _ group: inout Group
  ) throws(SQLiteError) -> WriteOutcome {
    defer { tables.release() }
    let row = try tables.find(path.collection, path.id)
    if let failure = terms.failure(row, wall: group.wall) { return failure }
    guard let row, !row.isExpired(wall: group.wall) else { return .notFound }
    let revision = try nextSequence(&group)
    try tables.remove(row, as: .deleted, sequence: revision, at: group.at, batch: group.batch)
    return .deleted(path, Revision(revision))
  }

  /// Replaces a document that exists by what a patch makes of it.
  private func change(
    _ path: DocumentPath, _ terms: WriteTerms, _ group: inout Group,
    _ patch: (UnsafeRawBufferPointer) throws(JSONPatchError) -> [UInt8]
  ) throws(SQLiteError) -> Result<WriteOutcome, StoreError> {
    defer { tables.release() }
    var row = try tables.find(path.collection, path.id)
    if let failure = terms.failure(row, wall: group.wall) { return .success(failure) }
    guard let found = row, !found.isExpired(wall: group.wall) else { return .success(.notFound) }
    do {
      try JSONScanner.validate(found.data)
    } catch {
      return .failure(.invalidDocument(path, reason: error.description))
    }
    let patched: [UInt8]
    do {
      patched = try patch(found.data)
    } catch {
      return .failure(StoreError(error, options))
    }
    guard patched.count <= options.documentBytes else {
      return .failure(.documentTooLarge(limit: options.documentBytes))
    }
    // Both texts were JSON, so only the depth can have become wrong.
    let isShallow = patched.withUnsafeBytes {
      (try? JSONScanner.validate($0, maximumDepth: options.documentDepth)) != nil
    }
    guard isShallow else { return .failure(.documentTooDeep(limit: options.documentDepth)) }
    let data = ByteBuffer(bytes: patched)
    if isAnythingUnique(in: path.collection) {
      if let duplicate = try duplicate(of: data, in: path.collection, id: path.id, &group) {
        return .failure(duplicate)
      }
      row = try tables.find(path.collection, path.id)
    }
    guard let row else { return .success(.notFound) }
    let revision = try update(row, expires: terms.expires(wall: group.wall), data: data, &group)
    return .success(.replaced(path, revision))
  }

  // MARK: What is unique

  private func isAnythingUnique(in collection: CollectionPath) -> Bool {
    tables.rules[collection].map { !$0.unique.isEmpty } ?? false
  }

  /// Ends documents that have expired and have the same values as one that is about to be written, and says why that must
  /// not be written if a live one has. The current path is another one afterwards.
  /// - Parameter id: the document's own.
  private func duplicate(
    of data: ByteBuffer, in collection: CollectionPath, id: String, _ group: inout Group
  ) throws(SQLiteError) -> StoreError? {
    guard let rule = tables.rules[collection], !rule.unique.isEmpty else { return nil }
    tables.release()
    try tables.writePending()
    let wall = group.wall
    do {
      for unique in rule.unique {
        let live = try Self.read(data) { bytes throws(SQLiteError) in try unique.other(like: bytes, id: id, wall: wall)
        }
        guard let live else { continue }
        return .duplicate(of: DocumentPath(collection: collection, id: live), fields: unique.fields.names)
      }
    } catch {
      // Without its index the search meets rows that are no JSON, written past the door. It only reads.
      guard error.code == SQLITE_ERROR else { throw error }
      return .refused(reason: "what is unique in \(collection) cannot be told: \(error.message)")
    }
    for unique in rule.unique {
      let expired = try Self.read(data) { bytes throws(SQLiteError) in
        try unique.expired(like: bytes, id: id, wall: wall)
      }
      for id in expired {
        guard let row = try tables.find(collection, id) else { continue }
        try tables.remove(row, as: .expired, sequence: try nextSequence(&group), at: group.at, batch: group.batch)
      }
    }
    return nil
  }

  private static func read<Value>(
    _ data: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws(SQLiteError) -> Value
  ) throws(SQLiteError) -> Value {
    try data.withUnsafeReadableBytes { bytes in
      Result { () throws(SQLiteError) in try body(bytes) }
    }.get()
  }

  // MARK: Steps

  /// Creates the current path's document, for which there is no row.
  private func insert(_ data: ByteBuffer, _ terms: WriteTerms, _ group: inout Group) throws(SQLiteError) -> Revision {
    let tombstone = try tables.tombstone()
    let revision = try nextSequence(&group)
    try tables.record(.created, sequence: revision, previous: tombstone, at: group.at, batch: group.batch, before: nil)
    try tables.insert(revision: revision, at: group.at, expires: terms.expires(wall: group.wall), data: data)
    if tombstone != nil { try tables.removeTombstone() }
    return Revision(revision)
  }

  /// Replaces the current path's live document.
  private func update(
    _ row: DocumentTables.Row, expires: Int64?, data: ByteBuffer, _ group: inout Group
  ) throws(SQLiteError) -> Revision {
    let revision = try nextSequence(&group)
    try tables.replace(row, sequence: revision, at: group.at, batch: group.batch, expires: expires, data: data)
    return Revision(revision)
  }
}

extension StoreError {
  /// Where a patch fails for the depth of what it makes, that is the document's limit.
  fileprivate init(_ error: JSONPatchError, _ options: SQLiteStoreOptions) {
    switch error.reason {
    case .tooDeep: self = .documentTooDeep(limit: options.documentDepth)
    default: self = .patchFailed(error)
    }
  }
}

extension WriteTerms {
  /// When what is written now will expire, if ever.
  fileprivate func expires(wall: Int64) -> Int64? {
    lifetime?.end(from: wall)
  }

  /// The outcome where the condition does not hold; nil where it does.
  fileprivate func failure(_ row: DocumentTables.Row?, wall: Int64) -> WriteOutcome? {
    guard let condition else { return nil }
    let live = row.flatMap { $0.isExpired(wall: wall) ? nil : Revision($0.revision) }
    return condition.holds(for: live) ? nil : .conditionFailed(current: live)
  }
}
