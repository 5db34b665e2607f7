/// The elements of one JSON array. Brackets and strings are matched and nothing more: an element is checked once it is cut.
struct ArraySplitter: RecordSplitter {
  private enum Place {
    case beforeArray
    /// Behind a bracket or a comma.
    case beforeElement
    case element
    case string
    case escape
    case behindArray
  }

  private var place: Place
  private var depth = 0
  /// Whether a bracket that comes next is the array's end.
  private var mayEnd = true

  /// - Parameter isInside: whether the source is read from a place behind one of the elements.
  init(isInside: Bool) {
    place = isInside ? .beforeElement : .beforeArray
  }

  mutating func advance(_ bytes: UnsafeRawBufferPointer) throws(BadRecord) -> SplitStep {
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch place {
      case .beforeArray where byte == UInt8(ascii: "["):
        place = .beforeElement
        return .between(index)
      case .beforeArray, .behindArray:
        guard byte.isJSONSpace else {
          throw BadRecord(
            reason: place == .beforeArray
              ? "this is no JSON array, which begins with [" : "something behind the array's end")
        }
        return .between(index)
      case .string:
        if byte == UInt8(ascii: "\"") { place = .element }
        if byte == UInt8(ascii: "\\") { place = .escape }
      case .escape:
        place = .string
      case .beforeElement where byte.isJSONSpace:
        return .between(index)
      case .beforeElement where byte == UInt8(ascii: "]") && mayEnd:
        place = .behindArray
        return .between(index)
      case .beforeElement, .element:
        place = .element
        if step(over: byte) { return .end(byte == UInt8(ascii: ",") ? index : index - 1, numbers: 1) }
      }
    }
    return .more
  }

  /// Whether the element ends with this byte.
  private mutating func step(over byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "\""):
      place = .string
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      depth += 1
    case UInt8(ascii: "]") where depth == 0:
      // The bracket is left for later, so that whoever begins again behind the last element sees the array's end.
      place = .beforeElement
      mayEnd = true
      return true
    case UInt8(ascii: "]"), UInt8(ascii: "}"):
      depth = max(depth - 1, 0)
    case UInt8(ascii: ",") where depth == 0:
      place = .beforeElement
      mayEnd = false
      return true
    default:
      break
    }
    return false
  }

  func finish() throws(BadRecord) {
    guard place == .behindArray else { throw BadRecord(reason: "the array has no end") }
  }
}

extension UInt8 {
  /// Space, tab, line feed or carriage return.
  var isJSONSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}

extension UnsafeRawBufferPointer {
  /// Without the white space of JSON around it.
  var trimmingJSONSpace: UnsafeRawBufferPointer {
    var range = 0..<count
    while let first = range.first, self[first].isJSONSpace { range = first + 1..<range.upperBound }
    while let last = range.last, self[last].isJSONSpace { range = range.lowerBound..<last }
    return UnsafeRawBufferPointer(rebasing: self[range])
  }
}
