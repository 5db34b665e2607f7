import DocketJSON
import NIOCore

/// A response as a client reads it. Unlike the server's own `Response` it takes any code, those of later servers too.
public struct Answer: Sendable, Equatable {
  public let code: Int
  public let message: String
  /// The JSON text of `data`, as it was sent: a slice of the frame.
  public let data: ByteBuffer
  /// The JSON text of `id`, where the request had one.
  public let id: ByteBuffer?
  /// Where the request had some.
  public let headers: Headers?
  /// Whether more frames with the same `id` follow: it is one of a watch's.
  public let continues: Bool

  /// Whether the code says that the request was carried out.
  public var isSuccess: Bool { (200..<300).contains(code) }

  public init(
    code: Int, message: String, data: ByteBuffer, id: ByteBuffer? = nil, headers: Headers? = nil,
    continues: Bool = false
  ) {
    self.code = code
    self.message = message
    self.data = data
    self.id = id
    self.headers = headers
    self.continues = continues
  }

  /// Reads a response's frame. Fields that are not known are passed over.
  /// - Parameter frame: the bytes before the NUL, or before the end of a one-shot session.
  /// - Throws: `AnswerError`.
  public static func parse(_ frame: ByteBuffer) throws(AnswerError) -> Answer {
    var code: Int?
    var message: String?
    var data: ByteBuffer?
    var id: ByteBuffer?
    var headers: Headers?
    var continues = false
    do {
      try frame.withUnsafeReadableBytes { bytes in
        var outline = JSONOutline(bytes)
        try outline.forEachMember { name, range in
          let value = UnsafeRawBufferPointer(rebasing: bytes[range])
          switch name {
          case "code": code = Int(String(decoding: value, as: UTF8.self))
          case "message": message = JSONOutline.text(value)
          case "data": data = frame.getSlice(at: frame.readerIndex + range.lowerBound, length: range.count)
          case "id": id = frame.getSlice(at: frame.readerIndex + range.lowerBound, length: range.count)
          case "headers": headers = Headers(json: ByteBuffer(bytes: value))
          case "continues": continues = value.elementsEqual("true".utf8)
          default: break
          }
        }
      }
    } catch let error as JSONError {
      throw .json(error)
    } catch {
      preconditionFailure("an outline throws nothing but JSONError: \(error)")
    }
    guard let code else { throw .missing("code") }
    guard let message else { throw .missing("message") }
    guard let data else { throw .missing("data") }
    return Answer(code: code, message: message, data: data, id: id, headers: headers, continues: continues)
  }
}

/// Why a frame is not a response.
public enum AnswerError: Error, Sendable, Equatable, CustomStringConvertible {
  case json(JSONError)
  /// A field that every response has is not there, or is of another type.
  case missing(String)

  public var description: String {
    switch self {
    case .json(let error): "\(error)"
    case .missing(let field): "a response without '\(field)'"
    }
  }
}
