import DocketWire
import HTTPTypes
import NIOCore

/// A file that is compiled into the program, as it is served: to be read by everybody, and sent again only where the client has
/// another one.
struct EmbeddedFile: Sendable {
  private let contentType: String
  private let bytes: ByteBuffer
  /// Its ETag, quotes included: another text has another one.
  private let tag: String

  init(_ bytes: [UInt8], contentType: String) {
    self.bytes = ByteBuffer(bytes: bytes)
    self.contentType = contentType
    tag = "\"\(String(Self.checksum(of: bytes), radix: 16))\""
  }

  /// What a request is answered that may read and nothing else.
  /// - Parameter fields: the answer's, besides those that every file has.
  func answer(_ head: HTTPRequest, _ fields: Headers = Headers()) -> HTTPAnswer {
    guard Self.isRead(head) else { return Self.notAllowed }
    let isKnown = head.headerFields[values: .ifNoneMatch].contains { tags in
      tags.split(separator: ",").contains {
        $0.trimmingSpace == "*" || $0.trimmingSpace == tag || $0.trimmingSpace == "W/" + tag
      }
    }
    var fields = fields
    fields.append("ETag", tag)
    if isKnown { return HTTPAnswer(.notModified, fields) }
    fields.append(HTTPAnswer.contentType, contentType)
    return HTTPAnswer(.ok, fields, .bytes(bytes))
  }

  static func isRead(_ head: HTTPRequest) -> Bool { head.method == .get || head.method == .head }

  static var notAllowed: HTTPAnswer {
    var answer = HTTPAnswer(
      HTTPProblem(.methodNotAllowed, "method_not_allowed", "This path has the methods GET and HEAD."))
    answer.fields.append("Allow", "GET, HEAD, OPTIONS")
    return answer
  }

  /// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/).
  private static func checksum(of bytes: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return hash
  }
}

extension Substring {
  fileprivate var trimmingSpace: Substring {
    var text = drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }
}
