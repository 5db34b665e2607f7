import DocketJSON
import DocketStore
import NIOCore

/// Which part of a collection is asked for.
public struct PageRequest: Sendable, Equatable {
  public static let defaultLimit = 100
  public static let maximumLimit = 1000

  public let collection: CollectionPath
  /// How many documents a page holds at most.
  public let limit: Int
  /// The page begins behind this id.
  public let after: String?
  /// Of a later page of the past: the revision of which the first page was.
  public let pinned: Revision?
}

/// Why a request's parameters do not fit: a stable code, what is wrong and how to mend it.
public struct ParameterError: Error, Equatable, Sendable {
  public let code: String
  public let detail: String
}

extension ParameterError {
  static var invalidCursor: ParameterError {
    ParameterError(
      code: "invalid_cursor", detail: "'after' must be the 'next' of an earlier page of this very list, unchanged.")
  }
}

extension PageRequest {
  /// Reads `limit`, `after` and `asOf` from behind the `?`, or from an object in `data`; what is given behind the `?` counts.
  /// - Returns: the page, and the moment in the past of which it is to be.
  static func read(
    collection: CollectionPath, target: Target, data: ByteBuffer?
  ) throws(ParameterError) -> (PageRequest, AsOf?) {
    var limit: String?
    var after: String?
    var asOf: String?
    for (name, value) in try Self.fields(of: data) + target.parameters.map({ ($0.name, $0.value) }) {
      switch name {
      case "limit": limit = value
      case "after": after = value
      case "asOf": asOf = value
      default:
        throw ParameterError(
          code: "unknown_parameter",
          detail: "A collection is read with 'limit', 'after' and 'asOf'; there is no '\(name)'.")
      }
    }
    let moment = try asOf.map { text throws(ParameterError) in try AsOf(text, parameter: "asOf") }
    let cursor = try after.map { text throws(ParameterError) in
      guard let cursor = Cursor(text, in: collection, isOfPast: moment != nil) else { throw .invalidCursor }
      return cursor
    }
    if case .revision(let revision) = moment, let pinned = cursor?.revision, pinned != revision { throw .invalidCursor }
    let page = PageRequest(
      collection: collection, limit: try limit.map(Self.limit) ?? defaultLimit, after: cursor?.id,
      pinned: cursor?.revision)
    return (page, moment)
  }

  static func limit(_ text: String) throws(ParameterError) -> Int {
    guard let limit = Int(text), (1...maximumLimit).contains(limit) else {
      throw ParameterError(
        code: "invalid_limit", detail: "'limit' must be a whole number from 1 to \(maximumLimit).")
    }
    return limit
  }

  /// The members of an object, their values as text; none where there is no data.
  private static func fields(of data: ByteBuffer?) throws(ParameterError) -> [(String, String)] {
    guard let data else { return [] }
    guard let fields = data.withUnsafeReadableBytes({ fields(of: $0) }) else {
      throw ParameterError(
        code: "invalid_query",
        detail: "The data of GET on a collection must be absent, or an object such as {\"limit\": 20}.")
    }
    return fields
  }

  private static func fields(of bytes: UnsafeRawBufferPointer) -> [(String, String)]? {
    if bytes.elementsEqual("null".utf8) { return [] }
    guard var members = try? JSONMembers(of: JSONScanner(bytes)) else { return nil }
    var fields: [(String, String)] = []
    while let member = try? members.next() {
      let value = UnsafeRawBufferPointer(rebasing: bytes[member.value])
      if value.elementsEqual("null".utf8) { continue }
      let isString = value.first == UInt8(ascii: "\"")
      let text = isString ? JSONString.decode(value) : String(decoding: value, as: UTF8.self)
      let name = JSONString.decode(UnsafeRawBufferPointer(rebasing: bytes[member.key.range]))
      guard let name, let text else { return nil }
      fields.append((name, text))
    }
    return fields
  }
}
