import CSQLite
import DocketStore

/// Finds documents by the words in their texts, in one snapshot, which is for the caller to give back: FTS5 says which match
/// and how well; whatever else must hold of them is decided by `Filter`, and an order other than by rank by
/// `FirstDocuments`.
struct TextReader {
  private let connection: Connection
  private let catalog: IndexCatalog
  private let clock: WallClock

  /// What explains an answer that was found so.
  static let indexNames = ["$text"]

  /// How many words a snippet has at most.
  private static let snippetWords = 24

  init(_ connection: Connection, catalog: IndexCatalog, clock: WallClock) {
    self.connection = connection
    self.catalog = catalog
    self.clock = clock
  }

  /// Visits what matches, the best first or in the query's order, no more than is wanted.
  func search(
    _ query: Query, isLate: () -> Bool, visit: (TextMatch) -> ScanStep
  ) throws(SQLiteError) -> Result<QueryReport, StoreError> {
    guard let search = try search(query) else { return .failure(query.noTextIndex) }
    return query.isRanked
      ? try rank(query, search, isLate: isLate, visit: visit) : try sort(query, search, isLate: isLate, visit: visit)
  }

  /// Visits what matches in no order, and without looking for what fits best.
  func walk(
    _ query: Query, isLate: () -> Bool, visit: (DocumentView) -> ScanStep
  ) throws(SQLiteError) -> Result<QueryReport, StoreError> {
    guard let search = try search(query) else { return .failure(query.noTextIndex) }
    return try look(query, search, ranks: false, isLate: isLate) { row in row.checked.map(visit) }
  }

  func count(
    _ query: Query, isLate: () -> Bool
  ) throws(SQLiteError) -> Result<(count: Int, report: QueryReport), StoreError> {
    guard let search = try search(query) else { return .failure(query.noTextIndex) }
    var count = 0
    return try look(query, search, ranks: false, isLate: isLate) { _ in
      count += 1
      return .success(.next)
    }.map { (count, $0) }
  }

  // MARK: Orders

  private func rank(
    _ query: Query, _ search: Search, isLate: () -> Bool, visit: (TextMatch) -> ScanStep
  ) throws(SQLiteError) -> Result<QueryReport, StoreError> {
    var best = BestMatches(after: query.after, limit: query.limit ?? .max)
    let end = try look(query, search, ranks: true, isLate: isLate) { row in
      best.add(BestMatches.Match(score: row.score, id: row.id, key: row.key))
      return .success(.next)
    }
    guard case .success(let report) = end else { return end }
    let documents = try connection.prepare(
      "SELECT \(Row.columns), 0.0 FROM document_rows AS row WHERE row.key = ?1", persistent: false)
    var chosen: [Chosen] = []
    var bytes = 0
    for match in best.sorted where chosen.count < 2 || bytes < query.limitBytes {
      if isLate() { return .failure(.deadlineExceeded) }
      documents.bind(match.key, at: 1)
      defer { documents.reset() }
      guard try documents.step() else { continue }
      switch Row(documents).checked {
      case .failure(let error): return .failure(error)
      case .success(let view):
        let document = Document(view)
        chosen.append(Chosen(key: match.key, document: document, score: match.score))
        bytes += document.data.readableBytes
      }
    }
    try show(chosen, search, isLate: isLate, visit: visit)
    return .success(report)
  }

  private func sort(
    _ query: Query, _ search: Search, isLate: () -> Bool, visit: (TextMatch) -> ScanStep
  ) throws(SQLiteError) -> Result<QueryReport, StoreError> {
    var first = FirstDocuments(
      QueryOrder(query.order ?? []), after: query.after, limit: query.limit ?? .max, limitBytes: query.limitBytes)
    let end = try look(query, search, ranks: false, isLate: isLate) { row in
      row.checked.map { document in
        first.add(document)
        return .next
      }
    }
    guard case .success(let report) = end else { return end }
    let keys = try connection.prepare(
      "SELECT key FROM document_rows WHERE collection = ?1 AND id = ?2", persistent: false)
    var chosen: [Chosen] = []
    for document in first.sorted() {
      keys.bind(document.path.collection.description, at: 1)
      keys.bind(document.path.id, at: 2)
      defer { keys.reset() }
      if try keys.step() { chosen.append(Chosen(key: keys.int64(0), document: document, score: nil)) }
    }
    try show(chosen, search, isLate: isLate, visit: visit)
    return .success(report)
  }

  /// A document that is shown.
  private struct Chosen {
    let key: Int64
    let document: Document
    let score: Double?
  }

  private func show(
    _ chosen: [Chosen], _ search: Search, isLate: () -> Bool, visit: (TextMatch) -> ScanStep
  ) throws(SQLiteError) {
    let snippets = try snippets(of: chosen.map(\.key), search, isLate: isLate)
    for one in chosen {
      let match = TextMatch(document: one.document, score: one.score, snippet: snippets[one.key] ?? "")
      if case .stop = visit(match) { break }
    }
  }

  /// In one walk over all that matches: asked for each document by itself, FTS5 would look through all words that begin
  /// with `a` for `a*` each time.
  private func snippets(
    of keys: [Int64], _ search: Search, isLate: () -> Bool
  ) throws(SQLiteError) -> [Int64: String] {
    guard !keys.isEmpty else { return [:] }
    let statement = try connection.prepare(search.snippets, persistent: false)
    statement.bind(search.expression, at: 1)
    statement.bind("[\(keys.map(String.init).joined(separator: ","))]", at: 2)
    defer { statement.reset() }
    var snippets: [Int64: String] = [:]
    while try statement.step() {
      // FTS5's functions are not interrupted, but what stands between two of them is.
      if isLate() { throw SQLiteError(extendedCode: SQLITE_INTERRUPT, message: "interrupted") }
      snippets[statement.int64(0)] = snippet(statement, columns: 2..<Int32(search.schema.fields.count + 2))
    }
    return snippets
  }

  /// - Parameter columns: where the texts stand of a row without a snippet.
  private func snippet(_ row: Statement, columns: Range<Int32>) -> String {
    guard row.isNull(1) else { return row.string(1) }
    if let piece = columns.lazy.compactMap({ SnippetCut.snippet(row.bytes($0)) }).first { return piece }
    return SnippetCut.beginning(columns.lazy.map(row.string).first { !$0.isEmpty } ?? "")
  }

  // MARK: Rows

  /// A search's table and what is looked for in it.
  private struct Search {
    let schema: TextSchema
    let expression: String

    /// Those that live, in no order: `?1` is the expression, `?2` the time by which documents expire, `?3` the collection.
    /// - Parameter ranks: whether it tells how well each fits, which takes time.
    func rows(ranks: Bool) -> String {
      """
      SELECT \(Row.columns), \(ranks ? "-found.rank" : "0.0")
      FROM \(schema.quotedName) AS found CROSS JOIN document_rows AS row ON row.key = found.rowid
      WHERE found.\(schema.quotedName) MATCH ?1 AND (row.expires_at IS NULL OR row.expires_at > ?2) AND row.collection = ?3
      """
    }

    /// Of the rows whose keys stand in the array `?2`; the plus keeps SQLite from asking FTS5 for each of them.
    /// Gives the key and the snippet, or, of long texts, NULL and each text with its matches marked, or its beginning
    /// (`SnippetCut`).
    var snippets: String {
      let length = schema.fields.map { "coalesce(length(\(SQLText.identifier($0.description))), 0)" }
      let lengthInAll = length.joined(separator: " + ")
      let isLong = "\(lengthInAll) > \(SnippetCut.longTexts)"
      let marked = schema.fields.enumerated().map { column, field in
        """
        CASE WHEN \(lengthInAll) > \(SnippetCut.longestTexts)
            THEN substr(\(SQLText.identifier(field.description)), 1, \(SnippetCut.beginning))
          WHEN \(isLong)
            THEN highlight(\(schema.quotedName), \(column), char(\(SnippetCut.open)), char(\(SnippetCut.close))) END
        """
      }
      return """
        SELECT rowid, CASE WHEN NOT (\(isLong)) THEN
            snippet(\(schema.quotedName), -1, '**', '**', '…', \(TextReader.snippetWords)) END,
          \(marked.joined(separator: ",\n  "))
        FROM \(schema.quotedName)
        WHERE \(schema.quotedName) MATCH ?1 AND +rowid IN (SELECT value FROM json_each(?2))
        """
    }
  }

  /// The row that a statement stands on.
  private struct Row {
    static let columns =
      "row.key, row.collection, row.id, row.revision, row.created_at, row.updated_at, row.expires_at, row.data"

    private let statement: Statement

    init(_ statement: Statement) {
      self.statement = statement
    }

    var key: Int64 { statement.int64(0) }
    var id: String { statement.string(2) }
    var score: Double { statement.real(8).isFinite ? statement.real(8) : 0 }

    var view: DocumentView {
      DocumentView(
        collection: statement.bytes(1), id: statement.bytes(2), revision: statement.int64(3),
        created: statement.int64(4), updated: statement.int64(5), expires: statement.optionalInt64(6),
        data: statement.bytes(7))
    }

    /// The document where it lies, unless it cannot be served.
    var checked: Result<DocumentView, StoreError> {
      let view = view
      return view.defect.map { .failure($0) } ?? .success(view)
    }
  }

  /// nil where the collection's texts are in no index.
  private func search(_ query: Query) throws(SQLiteError) -> Search? {
    guard let expression = query.text, case .collection(let collection) = query.scope, query.moment == nil else {
      return nil
    }
    if !connection.isInTransaction { try connection.execute("BEGIN") }
    guard let schema = try catalog.textSchema(of: collection) else { return nil }
    return Search(schema: schema, expression: expression)
  }

  /// Visits the rows that match and for which the filter holds.
  private func look(
    _ query: Query, _ search: Search, ranks: Bool, isLate: () -> Bool,
    visit: (Row) -> Result<ScanStep, StoreError>
  ) throws(SQLiteError) -> Result<QueryReport, StoreError> {
    // FTS5 takes this not for words but for a question about itself.
    guard search.expression.utf8.first != UInt8(ascii: "*") else {
      return .failure(.invalidText(reason: "fts5: syntax error near \"*\""))
    }
    var report = QueryReport(index: Self.indexNames)
    let rows = try connection.prepare(search.rows(ranks: ranks), persistent: false)
    rows.bind(search.expression, at: 1)
    rows.bind(clock.milliseconds(), at: 2)
    rows.bind(search.schema.collection.description, at: 3)
    defer { rows.reset() }
    do throws(SQLiteError) {
      while try rows.step() {
        report.scanned += 1
        if isLate() { return .failure(.deadlineExceeded) }
        let row = Row(rows)
        guard query.matchesEverything || query.matches(row.view) else { continue }
        switch visit(row) {
        case .failure(let error): return .failure(error)
        case .success(.stop): return .success(report)
        case .success(.next): continue
        }
      }
    } catch {
      // The statement is known to be right, so what is wrong is the expression in it.
      guard error.extendedCode == SQLITE_ERROR else { throw error }
      return .failure(.invalidText(reason: error.message))
    }
    return .success(report)
  }
}

/// The matches that fit best, from matches that come in any order.
private struct BestMatches {
  struct Match {
    let score: Double
    let id: String
    let key: Int64

    func isBefore(_ other: Match) -> Bool {
      score != other.score ? score > other.score : id.utf8.lexicographicallyPrecedes(other.id.utf8)
    }
  }

  private let after: Match?
  private let limit: Int
  /// Those behind the first `limit` are let go of now and then.
  private var matches: [Match] = []

  init(after: Query.Position?, limit: Int) {
    self.after = after.flatMap { place in
      place.score.map { Match(score: $0, id: place.path.id, key: 0) }
    }
    self.limit = limit
  }

  mutating func add(_ match: Match) {
    if let after, !after.isBefore(match) { return }
    matches.append(match)
    if matches.count / 2 > limit { matches = sorted }
  }

  var sorted: [Match] { Array(matches.sorted { $0.isBefore($1) }.prefix(limit)) }
}

extension Query {
  fileprivate var noTextIndex: StoreError {
    guard case .collection(let collection) = scope, moment == nil else {
      return .invalidText(reason: "words are searched in one collection at a time, as it stands")
    }
    return .noTextIndex(collection)
  }
}
