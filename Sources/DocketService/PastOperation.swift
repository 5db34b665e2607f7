import DocketStore

/// What can be done with the past of documents.
public enum PastOperation: Sendable {
  /// With a condition under which the document is wanted.
  case readDocument(DocumentPath, AsOf, Condition?)
  case readPage(PageRequest, AsOf)
  case readVersions(VersionsRequest)
  /// Writes what the document was, as a new revision.
  case restore(DocumentPath, AsOf, WriteTerms, IdempotencyKey?, answeredAs: WriteForm)
}

/// A moment in the past, as requests name it.
public enum AsOf: Sendable, Equatable {
  case revision(Revision)
  case time(Timestamp)

  /// - Parameters:
  ///   - text: a revision, or a time by RFC 3339.
  ///   - parameter: what the text was given as.
  init(_ text: String, parameter: String) throws(ParameterError) {
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let revision = Int64(text) {
      self = .revision(Revision(revision))
    } else if let time = Timestamp(rfc3339: text) {
      self = .time(time)
    } else {
      throw ParameterError(
        code: "invalid_moment",
        detail:
          "'\(parameter)' must be a revision such as 17, or a time such as 2030-01-31T12:00:00Z (RFC 3339; write a + in it as %2B)."
      )
    }
  }
}

/// Which versions of a document are asked for.
public struct VersionsRequest: Sendable, Equatable {
  public let path: DocumentPath
  /// How many at most.
  public let limit: Int
  /// The list begins with the version before this one.
  public let before: Revision?
}

extension VersionsRequest {
  /// - Parameter parameters: `history=true`, `limit` and `after`.
  init(path: DocumentPath, _ parameters: [Target.Parameter]) throws(ParameterError) {
    var limit = PageRequest.defaultLimit
    var before: Revision?
    for parameter in parameters {
      switch parameter.name {
      case "history":
        guard parameter.value == "true" else {
          throw ParameterError(code: "unknown_parameter", detail: "'history' can only be true.")
        }
      case "limit": limit = try PageRequest.limit(parameter.value)
      case "after":
        guard let cursor = Cursor(parameter.value, in: Self.scope(path)), let revision = Int64(cursor.id) else {
          throw .invalidCursor
        }
        before = Revision(revision)
      default:
        throw ParameterError(
          code: "unknown_parameter",
          detail: "A document's history is read with 'limit' and 'after'; there is no '\(parameter.name)'.")
      }
    }
    self.init(path: path, limit: limit, before: before)
  }

  /// The cursor of the page behind a version.
  func cursor(behind revision: Revision) -> Cursor { Cursor(id: revision.description, in: Self.scope(path)) }

  /// Cursors are of the document, as those of pages are of the collection.
  private static func scope(_ path: DocumentPath) -> CollectionPath { CollectionPath(unchecked: path.description) }
}
