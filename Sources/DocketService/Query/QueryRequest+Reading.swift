import DocketStore
import NIOCore

extension QueryRequest {
  /// The parameters of a query, beside `where[…]`.
  private static let names = [
    "where", "sort", "fields", "limit", "after", "asOf", "count", "recursive", "explain", "aggregate", "groupBy",
  ]

  /// - Parameter scope: the collection that the path names, or everything.
  init(_ scope: Query.Scope, _ parameters: ReadParameters) throws(ParameterError) {
    if let unknown = parameters.names.first(where: { !Self.names.contains($0) && !$0.utf8.starts(with: "where[".utf8) })
    {
      throw ParameterError(
        code: "unknown_parameter",
        detail: WatchRequest.names.contains(unknown)
          ? "'\(unknown)' goes with watch=true, on a document, a collection or /_changes."
          : "A query has \(Self.names.joined(separator: ", ")); there is no '\(unknown.shortened)'.")
    }
    self.scope = try Self.scope(scope, isRecursive: try parameters.flag("recursive"))
    (filter, text) = try FilterReader.filter(try parameters.objects("where"))
    asOf = try parameters.text("asOf").map { text throws(ParameterError) in try AsOf(text, parameter: "asOf") }
    isExplained = try parameters.flag("explain") ?? false
    if let aggregation = try Aggregation(parameters) {
      answer = .groups(aggregation)
    } else {
      answer = .page(try QueryPageRequest(parameters, self.scope, filter, text, asOf))
    }
    if text != nil { try checkText() }
  }

  private func checkText() throws(ParameterError) {
    guard case .collection = scope else {
      throw .invalidQuery("'$text' searches one collection at a time; leave 'recursive' out, and name the collection.")
    }
    guard asOf == nil else { throw .invalidQuery("'$text' searches documents as they stand; leave 'asOf' out.") }
  }

  private static func scope(_ scope: Query.Scope, isRecursive: Bool?) throws(ParameterError) -> Query.Scope {
    switch (scope, isRecursive) {
    case (.collection(let collection), true?): return .tree(collection)
    case (.everything, false?):
      throw .invalidQuery("/_documents holds every collection, whatever is nested in which; leave 'recursive' out.")
    default: return scope
    }
  }
}

extension QueryPageRequest {
  static let maximumSortKeys = 8

  init(
    _ parameters: ReadParameters, _ scope: Query.Scope, _ filter: Filter, _ text: String?, _ asOf: AsOf?
  ) throws(ParameterError) {
    let sort = try parameters.fieldNames("sort", atMost: Self.maximumSortKeys) ?? []
    guard sort.count <= Self.maximumSortKeys else {
      throw .invalidQuery("'sort' takes \(Self.maximumSortKeys) fields at most.")
    }
    self.sort = try sort.map { name throws(ParameterError) in try Query.SortKey(name: name) }
    let fields = try parameters.fieldNames("fields", atMost: Projection.maximumFields)
    projection = try fields.map { names throws(ParameterError) in try Projection(names) }
    counts = try parameters.flag("count") ?? false
    let limit = parameters.text("limit")
    self.limit =
      counts && limit == "0"
      ? 0 : try limit.map { text throws(ParameterError) in try PageRequest.limit(text) } ?? PageRequest.defaultLimit
    let fingerprint = Self.fingerprint(scope, filter, text, self.sort, asOf)
    let isRanked = text != nil && sort.isEmpty
    self.fingerprint = fingerprint
    let cursor = try parameters.text("after").map { text throws(ParameterError) in
      // The one value of a ranked place is its score.
      let keys = isRanked ? 1 : sort.count
      guard let cursor = QueryCursor(text, of: fingerprint, keys: keys, isOfPast: asOf != nil),
        !isRanked || cursor.position.score != nil
      else { throw .invalidCursor }
      return cursor
    }
    after = cursor?.position
    pinned = cursor?.revision
    if case .revision(let revision) = asOf, let pinned, pinned != revision { throw .invalidCursor }
  }

  private static func fingerprint(
    _ scope: Query.Scope, _ filter: Filter, _ text: String?, _ sort: [Query.SortKey], _ asOf: AsOf?
  ) -> Fingerprint {
    var fingerprint = Fingerprint()
    fingerprint.add(scope)
    fingerprint.add(filter)
    if let text {
      fingerprint.add(2)
      fingerprint.add(text)
    }
    for key in sort {
      fingerprint.add(key.isDescending ? 1 : 0)
      fingerprint.add(key.field)
    }
    fingerprint.add(0xFF)
    switch asOf {
    case nil: break
    case .revision: fingerprint.add("revision")
    case .time(let time): fingerprint.add("\(time.milliseconds)")
    }
    return fingerprint
  }
}

extension ReadParameters {
  /// True or false; nil where it is not given.
  func flag(_ name: String) throws(ParameterError) -> Bool? {
    guard let json = json(name) else { return nil }
    guard let flag = json.jsonBool else { throw .invalidQuery("'\(name)' must be true or false.") }
    return flag
  }

  /// Names of fields: an array of strings, or a string with commas between them.
  /// - Parameter limit: how many there may be. Where there are more, one more is told, whatever it names.
  func fieldNames(_ name: String, atMost limit: Int) throws(ParameterError) -> [String]? {
    guard let json = json(name) else { return nil }
    if let elements = json.jsonElements {
      let looked = elements.prefix(limit + 1)
      let names = looked.compactMap { $0.isJSONString ? $0.jsonText : nil }
      if names.count == looked.count { return names }
    } else if let text = text(name), isText(name) {
      let names = text.utf8.split(separator: UInt8(ascii: ","), maxSplits: limit, omittingEmptySubsequences: false)
      return names.map { String(Substring($0)) }
    }
    throw .invalidQuery(
      "'\(name)' must be an array of names of fields, such as [\"title\", \"author.name\"], or a string with commas between them."
    )
  }
}

extension ParameterError {
  static func invalidQuery(_ detail: String) -> ParameterError {
    ParameterError(code: "invalid_query", detail: detail)
  }
}

extension String {
  /// As much of it as an error's detail repeats.
  var shortened: String {
    let start = unicodeScalars.prefix(64)
    return start.endIndex == unicodeScalars.endIndex ? self : String(start) + "…"
  }
}
