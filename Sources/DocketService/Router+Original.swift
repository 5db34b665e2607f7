import DocketJSON
import DocketStore
import DocketWire
import NIOCore

/// The routes of the original server, kept to the letter: errors have no data, and whatever it does not know is 400.
extension Router {
  /// The collection that the original server's list is.
  static let items = CollectionPath(unchecked: "/item/")

  func original(_ request: Request, _ target: Target) -> Operation {
    guard target.parameters.isEmpty else { return .answer(Response(.badRequest)) }
    switch (target.resource, request.method) {
    case (.root, .get): return .answer(Response(.ok, data: ByteBuffer(staticString: #""Hello, World!""#)))
    case (.echo, .get): return .answer(Response(.ok, data: request.data))
    case (.list, .get): return .document(.readList)
    case (.item, .post): return storing(request, as: .original) { .create(in: Self.items, data: $0) }
    case (.item, .put): return replaceItem(request)
    case (.item, .delete):
      let data = request.data ?? ByteBuffer(staticString: "null")
      return writing(.deleteFirst(in: Self.items, equalTo: data), for: request, as: .original)
    default: return .answer(Response(.badRequest))
    }
  }

  /// `"current,new"`: the string before the comma gives way to the string behind it.
  private func replaceItem(_ request: Request) -> Operation {
    guard let data = request.data, data.readableBytesView.first == UInt8(ascii: "\"") else {
      return .answer(Response(.badRequest))
    }
    guard let (current, new) = data.withUnsafeReadableBytes({ Self.split($0) }) else {
      return .answer(Response(.notFound))
    }
    return writing(.replaceFirst(in: Self.items, equalTo: current, with: new), for: request, as: .original)
  }

  /// Cuts a string token at its only comma into two tokens, each written as the whole was; nil if it has not just one.
  static func split(_ token: UnsafeRawBufferPointer) -> (ByteBuffer, ByteBuffer)? {
    var comma: Range<Int>?
    var index = 1
    while index < token.count - 1 {
      let width = token[index] != UInt8(ascii: "\\") ? 1 : token[index + 1] == UInt8(ascii: "u") ? 6 : 2
      let isEscapedComma =
        width == 6 && token[(index + 2)..<(index + 6)].elementsEqual("002c".utf8) { a, b in a | 0x20 == b | 0x20 }
      if token[index] == UInt8(ascii: ",") || isEscapedComma {
        guard comma == nil else { return nil }
        comma = index..<index + width
      }
      index += width
    }
    guard let comma else { return nil }
    var current = ByteBuffer(bytes: token[..<comma.lowerBound])
    current.writeStaticString("\"")
    var new = ByteBuffer(staticString: "\"")
    new.writeBytes(token[comma.upperBound...])
    return (current, new)
  }
}
