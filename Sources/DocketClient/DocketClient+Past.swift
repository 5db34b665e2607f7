import DocketWire
import NIOCore

/// A moment in the past of a server's documents.
public enum PointInTime: Sendable, Equatable, CustomStringConvertible {
  /// As the changes up to this one left them.
  case revision(Int64)
  /// RFC 3339, such as `2030-01-31T12:00:00Z`.
  case time(String)

  /// As the protocol writes it.
  public var description: String {
    switch self {
    case .revision(let revision): String(revision)
    case .time(let time): time
    }
  }

  /// As it stands behind the `?` of a path.
  public var percentEncoded: String { DocketClient.percentEncoded(description) }
}

/// A part of a document's history.
public struct VersionPage: Sendable, Equatable {
  public struct Version: Sendable, Equatable {
    public let revision: Int64
    /// RFC 3339, UTC.
    public let time: String
    /// `created`, `updated`, `deleted` or `expired`; nil where the server no longer knows.
    public let kind: String?
    /// In bytes; nil where there was no document from then on.
    public let size: Int64?
    /// All of this as the server told it.
    public let json: ByteBuffer
  }

  /// Newest first.
  public let versions: [Version]
  /// Where the next page begins; nil when this is the last one.
  public let next: String?
  /// All of this as the server told it.
  public let json: ByteBuffer
}

extension DocketClient {
  /// The JSON text of a document as it was.
  /// - Throws: `DocketClientError.refused`: 404 where there was none, 410 before what is kept of history, 409 for a moment
  ///   that has not come.
  public func get(_ path: String, asOf moment: PointInTime) async throws -> ByteBuffer {
    try await success(.get, "\(path)?asOf=\(moment.percentEncoded)").data
  }

  /// The number of the last change to any document.
  public func newestRevision() async throws -> Int64 {
    try AnswerFields(try await success(.get, "/_stats").data).integer("revision")
  }

  /// One page of a document's versions, newest first.
  /// - Parameters:
  ///   - limit: how many at most; the server has a limit of its own.
  ///   - cursor: the `next` of the page before.
  public func history(
    of path: String, limit: Int? = nil, after cursor: String? = nil
  ) async throws -> VersionPage {
    var target = "\(path)?history=true"
    if let limit { target += "&limit=\(limit)" }
    if let cursor { target += "&after=\(Self.percentEncoded(cursor))" }
    return try VersionPage(data: try await success(.get, target).data)
  }

  /// Writes what a document was as a new revision, also where it was deleted since.
  @discardableResult
  public func restore(
    _ path: String, to moment: PointInTime, options: WriteOptions = WriteOptions()
  ) async throws -> WriteReceipt {
    let target = "\(path)?restore=\(moment.percentEncoded)"
    return try WriteReceipt(try await success(.post, target, headers: options.headers))
  }
}

extension VersionPage {
  init(data: ByteBuffer) throws(DocketClientError) {
    let fields = try AnswerFields(data)
    var versions: [Version] = []
    for element in try fields.elements("versions") { versions.append(try Version(element)) }
    self.versions = versions
    next = try fields.optionalText("next")
    json = data
  }
}

extension VersionPage.Version {
  fileprivate init(_ object: ByteBuffer) throws(DocketClientError) {
    let fields = try AnswerFields(object)
    revision = try fields.integer("revision")
    time = try fields.text("time")
    kind = try fields.optionalText("kind")
    size = try fields.optionalInteger("size")
    json = object
  }
}
