import DocketJSON
import DocketService
import NIOCore

/// Where documents go that bring no path: into one collection, under an id that stands in them or a new one.
struct ImportTarget {
  /// Arrays and objects that may be open at once in a document of a batch, which stands in three itself.
  static let depthInBatch = JSONLimits.maximumDepth - 3

  private let maximumDocumentBytes: Int
  private let collectionBytes: Int
  /// The name of the member that holds the id; nil: the server makes one.
  private let idField: String?
  /// What stands before the id, or before the document where it gets a new one.
  private let head: ByteBuffer

  /// - Parameter collection: as a request names it.
  /// - Throws: `CommandFailure` where this is no collection.
  init(collection: String, idField: String?, maximumDocumentBytes: Int) throws {
    var path = collection
    let resource = try? path.withUTF8 { try PathGrammar.resource(named: UnsafeRawBufferPointer($0)) }
    guard case .collection(let name)? = resource, !collection.contains("?") else {
      throw CommandFailure("--collection must be a collection's path, such as /notes/", status: .usage)
    }
    self.maximumDocumentBytes = maximumDocumentBytes
    self.idField = idField
    collectionBytes = name.description.utf8.count
    var head = ByteBuffer(string: #"{"method": "\#(idField == nil ? "POST" : "PUT")", "path": "#)
    head.writeJSONString(collection)
    if idField == nil {
      head.writeStaticString(", \"data\": ")
    } else {
      head.moveWriterIndex(to: head.writerIndex - 1)
    }
    self.head = head
  }

  /// Appends the request that stores a document.
  func write(_ document: UnsafeRawBufferPointer, to request: inout ByteBuffer) throws(BadRecord) -> DecodedRecord {
    try checkSize(document.count, limit: maximumDocumentBytes)
    request.writeImmutableBuffer(head)
    let (id, isDeep) = try check(document)
    if let id {
      try write(id: id, to: &request)
      request.writeStaticString("\", \"data\": ")
    }
    request.writeBytes(document)
    request.writeStaticString("}")
    return isDeep ? .loneRequest : .request
  }

  /// The JSON text of the id, if one is to be there, and whether the document is too deep for a batch.
  private func check(_ document: UnsafeRawBufferPointer) throws(BadRecord) -> (UnsafeRawBufferPointer?, isDeep: Bool) {
    do {
      return (try id(in: document, maximumDepth: Self.depthInBatch), false)
    } catch .json(let error) where error.reason == .tooDeep(limit: Self.depthInBatch) {
      do {
        return (try id(in: document, maximumDepth: JSONLimits.maximumDepth), true)
      } catch {
        throw error.badRecord
      }
    } catch {
      throw error.badRecord
    }
  }

  private enum CheckFailure: Error {
    case json(JSONError)
    case id(BadRecord)

    var badRecord: BadRecord {
      switch self {
      case .json(let error): BadRecord(reason: "\(error)")
      case .id(let reason): reason
      }
    }
  }

  /// Checks a document and finds the value of its id, if one is to be there, in the same walk.
  private func id(
    in document: UnsafeRawBufferPointer, maximumDepth: Int
  ) throws(CheckFailure) -> UnsafeRawBufferPointer? {
    var found: UnsafeRawBufferPointer?
    do {
      guard let idField, document.first == UInt8(ascii: "{") else {
        try JSONScanner.validate(document, maximumDepth: maximumDepth)
        guard idField == nil else { throw CheckFailure.id(BadRecord(reason: "not an object, which could hold an id")) }
        return nil
      }
      var members = try JSONMembers(of: JSONScanner(document, maximumDepth: maximumDepth), depth: 1)
      while let member = try members.next() {
        let key = UnsafeRawBufferPointer(rebasing: document[member.key.range])
        // Of equal keys the last one counts.
        if key.isKey(idField, hasEscapes: member.key.hasEscapes) {
          found = UnsafeRawBufferPointer(rebasing: document[member.value])
        }
      }
      try members.finish()
    } catch let error as JSONError {
      throw .json(error)
    } catch let error as CheckFailure {
      throw error
    } catch {
      preconditionFailure("the scanner throws nothing but JSONError: \(error)")
    }
    guard let found else { throw .id(BadRecord(reason: "no field '\(idField ?? "")' to be the id")) }
    return found
  }

  /// Appends what an id's value says as the last segment of a path, within a JSON string.
  private func write(id value: UnsafeRawBufferPointer, to request: inout ByteBuffer) throws(BadRecord) {
    switch value.first {
    case UInt8(ascii: "\""):
      let content = UnsafeRawBufferPointer(rebasing: value[1..<value.count - 1])
      guard content.contains(UInt8(ascii: "\\")) else { return try write(segment: content, to: &request) }
      guard let text = JSONString.decode(value) else { throw BadRecord(reason: "the id is no Unicode text") }
      let bytes = Array(text.utf8)
      try write(segment: bytes, to: &request)
    case _ where value.allSatisfy({ $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) }):
      try write(segment: value, to: &request)
    default:
      throw BadRecord(reason: "the id is neither a string nor an integer")
    }
  }

  private func write(segment: some Collection<UInt8>, to request: inout ByteBuffer) throws(BadRecord) {
    guard !segment.isEmpty else { throw BadRecord(reason: "the id is empty") }
    guard segment.count > 2 || segment.contains(where: { $0 != UInt8(ascii: ".") }) else {
      throw BadRecord(reason: "an id cannot be . or ..")
    }
    guard collectionBytes + segment.count <= PathGrammar.maximumBytes else {
      throw BadRecord(reason: "the path would be longer than \(PathGrammar.maximumBytes) bytes")
    }
    for byte in segment {
      switch byte {
      case UInt8(ascii: "/"): throw BadRecord(reason: "an id cannot hold a slash")
      case 0..<0x20, 0x7F: throw BadRecord(reason: "an id cannot hold a control character")
      case UInt8(ascii: "%"): request.writeStaticString("%25")
      case UInt8(ascii: "?"): request.writeStaticString("%3F")
      case UInt8(ascii: "#"): request.writeStaticString("%23")
      case UInt8(ascii: "\""): request.writeStaticString("\\\"")
      case UInt8(ascii: "\\"): request.writeStaticString("\\\\")
      default: request.writeInteger(byte)
      }
    }
  }
}

func checkSize(_ bytes: Int, limit: Int) throws(BadRecord) {
  guard bytes <= limit else {
    throw BadRecord(reason: "the document is longer than \(limit) bytes (--max-document-bytes, as the server's)")
  }
}

extension UnsafeRawBufferPointer {
  /// Whether a key's token, quotes included, says `name`.
  func isKey(_ name: String, hasEscapes: Bool) -> Bool {
    if hasEscapes { return JSONString.decode(self).map { $0.utf8.elementsEqual(name.utf8) } ?? false }
    return count == name.utf8.count + 2 && dropFirst().dropLast().elementsEqual(name.utf8)
  }
}
