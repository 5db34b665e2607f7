import DocketWire
import NIOCore

extension DocketClient {
  /// The JSON text of a document, byte for byte as it was written, or of whatever else a path answers GET with.
  /// - Throws: `DocketClientError.refused` with code 404 where there is none.
  public func get(_ path: String) async throws -> ByteBuffer {
    try await success(.get, path).data
  }

  /// Creates the document or replaces it.
  /// - Parameter data: JSON text.
  @discardableResult
  public func put(
    _ path: String, data: ByteBuffer, options: WriteOptions = WriteOptions()
  ) async throws -> WriteReceipt {
    try WriteReceipt(try await success(.put, path, data: data, headers: options.headers))
  }

  /// Creates a document under a new id.
  /// - Parameters:
  ///   - collection: ends with a slash.
  ///   - data: JSON text.
  ///   - options: a condition makes no sense here.
  @discardableResult
  public func post(
    _ collection: String, data: ByteBuffer, options: WriteOptions = WriteOptions()
  ) async throws -> WriteReceipt {
    try WriteReceipt(try await success(.post, collection, data: data, headers: options.headers))
  }

  /// Changes parts of a document that exists.
  /// - Parameter data: JSON text: an object for a JSON Merge Patch (RFC 7396), an array for a JSON Patch (RFC 6902).
  @discardableResult
  public func patch(
    _ path: String, data: ByteBuffer, options: WriteOptions = WriteOptions()
  ) async throws -> WriteReceipt {
    try WriteReceipt(try await success(.patch, path, data: data, headers: options.headers))
  }

  /// Deletes a document.
  /// - Throws: `DocketClientError.refused` with code 404 where there is none.
  public func delete(_ path: String, options: WriteOptions = WriteOptions()) async throws {
    _ = try await success(.delete, path, headers: options.headers)
  }

  /// One page of a collection, in the byte order of the ids.
  /// - Parameters:
  ///   - collection: ends with a slash.
  ///   - limit: how many documents at most; the server has a limit of its own.
  ///   - cursor: the `next` of the page before, which was of the same moment.
  ///   - moment: of which the page is; nil: as it stands.
  public func list(
    _ collection: String, limit: Int? = nil, after cursor: String? = nil, asOf moment: PointInTime? = nil
  ) async throws -> DocumentPage {
    let path = Self.pagePath(collection, limit: limit, after: cursor, asOf: moment)
    return try DocumentPage(data: try await success(.get, path).data)
  }

  /// All documents of a collection, page by page as they are asked for.
  /// - Parameters:
  ///   - collection: ends with a slash.
  ///   - pageSize: how many are fetched at once at most.
  ///   - cursor: the `next` of a page to go on from, which was of the same moment.
  ///   - moment: of which the documents are; nil: as they stand.
  public func documents(
    in collection: String, pageSize: Int? = nil, after cursor: String? = nil, asOf moment: PointInTime? = nil
  ) -> DocumentSequence {
    DocumentSequence(client: self, collection: collection, pageSize: pageSize, cursor: cursor, moment: moment)
  }

  /// Sends a value there and back.
  public func echo(_ data: ByteBuffer) async throws -> ByteBuffer {
    try await success(.get, "/echo", data: data).data
  }

  /// As `request`, but what is no success is thrown.
  package func success(
    _ method: Method, _ path: String, data: ByteBuffer? = nil, headers: Headers? = nil
  ) async throws -> Answer {
    let answer = try await request(method, path, data: data, headers: headers)
    guard answer.isSuccess else { throw DocketClientError.refused(Refusal(answer)) }
    return answer
  }

  private static func pagePath(
    _ collection: String, limit: Int?, after cursor: String?, asOf moment: PointInTime?
  ) -> String {
    var parameters: [String] = []
    if let limit { parameters.append("limit=\(limit)") }
    if let cursor { parameters.append("after=\(percentEncoded(cursor))") }
    if let moment { parameters.append("asOf=\(percentEncoded(moment.description))") }
    return parameters.isEmpty ? collection : "\(collection)?\(parameters.joined(separator: "&"))"
  }

  /// Leaves only what RFC 3986, section 2.3, calls unreserved.
  package static func percentEncoded(_ text: String) -> String {
    text.utf8.reduce(into: "") { encoded, byte in
      let scalar = UnicodeScalar(byte)
      if scalar.isASCII, scalar.properties.isAlphabetic || "0123456789-._~".unicodeScalars.contains(scalar) {
        encoded.unicodeScalars.append(scalar)
      } else {
        encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
  }
}
