import DocketJSON
import NIOCore

extension Request {
  /// Reads a frame in one pass: the whole of it is checked as JSON, and nothing is built but what is asked for.
  ///
  /// Of a field that is given twice the last one counts; fields that are not known are checked and passed over.
  /// - Parameters:
  ///   - frame: the bytes before the NUL.
  ///   - depth: how many arrays and objects may be open at once in a document.
  public static func parse(
    _ frame: ByteBuffer, depth: Int = JSONLimits.maximumDepth
  ) throws(RequestError) -> Request {
    let scan = frame.withUnsafeReadableBytes { EnvelopeFields.scan($0, depth: depth) }
    switch scan {
    case .failure(let error): throw RequestError(.json(error))
    case .success(nil): throw RequestError(.notAnObject)
    case .success(let fields?): return try fields.request(from: frame)
    }
  }
}

/// Where the fields of a request lie in its frame.
private struct EnvelopeFields {
  var method: Range<Int>?
  var path: Range<Int>?
  var data: Range<Int>?
  var id: Range<Int>?
  var headers: Range<Int>?

  /// The fields, or nil where the frame is JSON but no object.
  static func scan(_ bytes: UnsafeRawBufferPointer, depth: Int) -> Result<EnvelopeFields?, JSONError> {
    var scanner = JSONScanner(bytes, maximumDepth: depth)
    do {
      scanner.skipWhitespace()
      guard scanner.next == UInt8(ascii: "{") else {
        _ = try scanner.skipValue()
        try scanner.finish()
        return .success(nil)
      }
      var fields = EnvelopeFields()
      // The envelope does not count: each of its values may use the whole depth.
      var members = try JSONMembers(of: scanner)
      while let member = try members.next() {
        switch KeyText(of: member.key, in: bytes) {
        case "method": fields.method = member.value
        case "path": fields.path = member.value
        case "data": fields.data = member.value
        case "id": fields.id = member.value
        case "headers": fields.headers = member.value
        default: break
        }
      }
      try members.finish()
      return .success(fields)
    } catch {
      return .failure(error)
    }
  }

  func request(from frame: ByteBuffer) throws(RequestError) -> Request {
    let path = path.flatMap { frame.text(of: $0) }
    let id = id.flatMap { frame.id(at: $0) }
    var parsedHeaders: Headers?
    if let headers {
      parsedHeaders = Headers(json: frame.slice(headers))
      if parsedHeaders == nil { throw RequestError(.headers, path: path, id: id) }
    }
    guard self.id == nil || id != nil else { throw RequestError(.id, path: path, headers: parsedHeaders) }
    guard let path else { throw RequestError(.path, id: id, headers: parsedHeaders) }
    guard let method = method.flatMap({ frame.text(of: $0) }) else {
      throw RequestError(.method, path: path, id: id, headers: parsedHeaders)
    }
    return Request(
      method: method.withUnsafeReadableBytes { Method($0) }, path: path, data: data.map { frame.slice($0) }, id: id,
      headers: parsedHeaders)
  }
}

extension ByteBuffer {
  /// The UTF-8 that the string at `range` stands for; nil for other values, and for half a surrogate pair.
  fileprivate func text(of range: Range<Int>) -> ByteBuffer? {
    let token = slice(range)
    guard token.readableBytesView.first == UInt8(ascii: "\"") else { return nil }
    guard token.readableBytesView.contains(UInt8(ascii: "\\")) else {
      return slice(range.lowerBound + 1..<range.upperBound - 1)
    }
    return token.withUnsafeReadableBytes { JSONString.decode($0) }.map { ByteBuffer(string: $0) }
  }

  /// The JSON text at `range`, if it is an `id`: a string of at most 64 bytes, or an integer of at most as many
  /// characters.
  fileprivate func id(at range: Range<Int>) -> ByteBuffer? {
    let value = slice(range)
    if value.readableBytesView.first == UInt8(ascii: "\"") {
      guard let text = text(of: range), text.readableBytes <= WireLimits.idBytes else { return nil }
      return value
    }
    let isInteger = value.readableBytesView.allSatisfy { $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) }
    return isInteger && range.count <= WireLimits.idBytes ? value : nil
  }

  /// The readable bytes in `range`, counted from the first readable byte.
  fileprivate func slice(_ range: Range<Int>) -> ByteBuffer {
    guard let slice = getSlice(at: readerIndex + range.lowerBound, length: range.count) else {
      preconditionFailure("a token lies within its frame")
    }
    return slice
  }
}
