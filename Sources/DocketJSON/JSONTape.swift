/// Where everything in a JSON text lies: one node for each key and each value, in the order of the text.
///
/// It lets equality and merge patches step over a value in constant time, so that their work grows with the length of a text
/// and not with its length times its depth. Checking alone needs none.
struct JSONTape {
  /// 16 bytes, since a text can have half as many nodes as bytes.
  struct Node {
    let start: Int32
    fileprivate(set) var end: Int32
    /// The node behind this one and all that is inside it.
    fileprivate(set) var next: Int32
    let hasEscapes: Bool
  }

  let bytes: UnsafeRawBufferPointer
  private(set) var nodes: [Node] = []
  private var open: [Int] = []

  /// - Parameter bytes: one JSON value with optional white space around it; they must outlive the tape.
  init(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
    precondition(bytes.count <= Int32.max, "the limits on documents and frames are far below 2 GiB")
    self.bytes = bytes
    var scanner = JSONScanner(bytes)
    scanner.skipWhitespace()
    try scanner.walkValue(depth: 0, visitor: &self)
    try scanner.finish()
  }

  /// The node of the whole value.
  static let root = 0

  func range(of node: Int) -> Range<Int> { Int(nodes[node].start)..<Int(nodes[node].end) }

  func text(of node: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range(of: node)]) }

  /// What a value is, told by its first byte.
  func firstByte(of node: Int) -> UInt8 { bytes[Int(nodes[node].start)] }

  func isObject(_ node: Int) -> Bool { firstByte(of: node) == UInt8(ascii: "{") }

  /// The node behind `node` and all that is inside it.
  func next(after node: Int) -> Int { Int(nodes[node].next) }

  func string(_ node: Int) -> JSONStringContent {
    JSONStringContent(token: text(of: node), hasEscapes: nodes[node].hasEscapes)
  }

  /// The members of an object, in the order of the text, equal keys included.
  func members(of object: Int) -> some Sequence<(key: Int, value: Int)> {
    let end = next(after: object)
    return sequence(state: object + 1) { key in
      guard key < end else { return nil }
      let value = key + 1
      defer { key = next(after: value) }
      return (key, value)
    }
  }
}

extension JSONTape: JSONVisitor {
  mutating func scalar(_ token: JSONScanner.StringToken) {
    nodes.append(
      Node(
        start: Int32(token.range.lowerBound), end: Int32(token.range.upperBound), next: Int32(nodes.count + 1),
        hasEscapes: token.hasEscapes))
  }

  mutating func key(_ token: JSONScanner.StringToken) { scalar(token) }

  mutating func open(at offset: Int) {
    open.append(nodes.count)
    nodes.append(Node(start: Int32(offset), end: 0, next: 0, hasEscapes: false))
  }

  mutating func close(before offset: Int) {
    let node = open.removeLast()
    nodes[node].end = Int32(offset)
    nodes[node].next = Int32(nodes.count)
  }
}
