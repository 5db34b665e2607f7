import DocketStore
import NIOCore

/// Which page of changes is asked for.
public struct ChangesRequest: Sendable {
  let since: Revision
  /// Of which history `since` is; nil: of whichever there is.
  let history: String?
  /// Of which documents; nil: of all.
  let filter: Filter?
  /// How many changes it holds at most.
  let limit: Int
  /// What may be told; nil: all.
  var readable: PathPrefixes?

  /// What is told of a change; nil: nothing.
  func told(_ change: Change) -> Told? {
    guard readable?.cover(change.path) ?? true else { return nil }
    return change.told(to: filter)
  }

  private static let names = ["since", "limit", "where", "history"]

  init(_ parameters: ReadParameters) throws(ParameterError) {
    try parameters.checkNames(Self.names, of: "A page of changes")
    since = try parameters.revision("since") ?? Revision(0)
    history = parameters.text("history")
    filter = try parameters.changeFilter()
    limit = try parameters.text("limit").map(PageRequest.limit) ?? PageRequest.defaultLimit
  }
}

extension ReadParameters {
  func checkNames(_ names: [String], of request: String) throws(ParameterError) {
    let unknown = self.names.first {
      !names.contains($0) && !(names.contains("where") && $0.utf8.starts(with: "where[".utf8))
    }
    if let unknown {
      throw ParameterError(
        code: "unknown_parameter",
        detail: "\(request) has \(names.joined(separator: ", ")); there is no '\(unknown.shortened)'.")
    }
  }

  /// nil where it is not given.
  func revision(_ name: String) throws(ParameterError) -> Revision? {
    guard let text = text(name) else { return nil }
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(text) else {
      throw ParameterError(
        code: "invalid_moment",
        detail: "'\(name)' must be a revision, which is a whole number such as 17: the last 'sequence' that was seen.")
    }
    return Revision(number)
  }

  /// The condition of `where`; nil where there is none.
  func changeFilter() throws(ParameterError) -> Filter? {
    let (filter, text) = try FilterReader.filter(try objects("where"))
    guard text == nil else {
      throw .invalidQuery("'$text' searches documents as they stand; changes are told by other conditions.")
    }
    return filter.isEverything ? nil : filter
  }
}
