import DocketClient
import DocketJSON
import DocketWire
import NIOCore

/// A page of documents as the lines of an export.
struct ExportPage {
  let lines: ByteBuffer
  let count: Int
  /// Where the next page begins; nil when this is the last one.
  let next: String?

  /// - Parameter data: `{"items": […], "next": …}`, as the server told it.
  init(data: ByteBuffer) throws {
    var lines = ByteBufferAllocator().buffer(capacity: data.readableBytes + 4096)
    var count = 0
    var next: String?
    do {
      try data.withUnsafeReadableBytes { bytes in
        var outline = JSONOutline(bytes)
        try outline.forEachMember { name, range in
          let value = UnsafeRawBufferPointer(rebasing: bytes[range])
          switch name {
          case "items":
            var items = JSONOutline(value)
            try items.forEachElement { range in
              try Self.write(UnsafeRawBufferPointer(rebasing: value[range]), to: &lines)
              count += 1
            }
          case "next": next = JSONOutline.text(value)
          default: break
          }
        }
      }
    } catch let error as JSONError {
      throw DocketClientError.badAnswer(reason: "\(error)")
    }
    self.lines = lines
    self.count = count
    self.next = next
  }

  /// Writes an item as a line. A document that holds a line break, which it can between its tokens, stands as a string in `text`.
  private static func write(_ item: UnsafeRawBufferPointer, to lines: inout ByteBuffer) throws {
    var members: [String: UnsafeRawBufferPointer] = [:]
    var outline = JSONOutline(item)
    try outline.forEachMember { name, range in members[name] = UnsafeRawBufferPointer(rebasing: item[range]) }
    func member(_ name: String) throws -> UnsafeRawBufferPointer {
      guard let value = members[name] else { throw DocketClientError.badAnswer(reason: "an item without '\(name)'") }
      return value
    }
    lines.writeStaticString("{\"path\": ")
    lines.writeBytes(try member("path"))
    lines.writeStaticString(", \"revision\": ")
    lines.writeBytes(try member("revision"))
    lines.writeStaticString(", \"created\": ")
    lines.writeBytes(try member("created"))
    lines.writeStaticString(", \"updated\": ")
    lines.writeBytes(try member("updated"))
    lines.writeStaticString(", \"expires\": ")
    if let expires = members["expires"] {
      lines.writeBytes(expires)
    } else {
      lines.writeStaticString("null")
    }
    let document = try member("document")
    if document.firstIndex(ofByte: UInt8(ascii: "\n")) == nil && document.firstIndex(ofByte: UInt8(ascii: "\r")) == nil
    {
      lines.writeStaticString(", \"document\": ")
      lines.writeBytes(document)
    } else {
      lines.writeStaticString(", \"text\": ")
      lines.writeJSONString(utf8: document)
    }
    lines.writeStaticString("}\n")
  }
}
