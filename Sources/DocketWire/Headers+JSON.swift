import DocketJSON
import NIOCore

extension Headers {
  /// Reads the `headers` of a checked frame: an object of strings and numbers; nil for anything else.
  init?(json object: ByteBuffer) {
    let headers = object.withUnsafeReadableBytes { bytes -> Headers? in
      guard var members = try? JSONMembers(of: JSONScanner(bytes)) else { return nil }
      var headers = Headers()
      while let member = try? members.next() {
        let name = JSONString.decode(UnsafeRawBufferPointer(rebasing: bytes[member.key.range]))
        guard let name, let value = Self.value(UnsafeRawBufferPointer(rebasing: bytes[member.value])) else {
          return nil
        }
        headers.append(name, value)
      }
      return headers
    }
    guard let headers else { return nil }
    self = headers
  }

  private static func value(_ text: UnsafeRawBufferPointer) -> String? {
    guard let first = text.first else { return nil }
    switch first {
    case UInt8(ascii: "\""): return JSONString.decode(text)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return String(decoding: text, as: UTF8.self)
    default: return nil
    }
  }
}
