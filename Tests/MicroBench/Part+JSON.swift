import DocketJSON
import NIOCore

extension Part {
  static var json: [Part] {
    [
      check("check JSON of 100 bytes", Samples.document),
      check("check JSON of 60,000 bytes, one long string", Samples.document(bytes: 60_000)),
      check("check JSON of 60,000 bytes, 600 small objects", Samples.array(bytes: 60_000)),
    ]
  }

  private static func check(_ name: String, _ text: String) -> Part {
    let text = ByteBuffer(string: text)
    return Part(name) { try text.withUnsafeReadableBytes { try JSONScanner.validate($0) } }
  }
}
