/// A JSON Pointer (RFC 6901): the way from the root of a JSON text to one value in it.
public struct JSONPointer: Equatable, Sendable, CustomStringConvertible {
  /// The pointer as it was written.
  public let description: String
  /// The names and indices along the way, unescaped. None: the root itself.
  let steps: [String]

  /// - Parameter text: empty, or steps that each begin with `/`; in them `~1` is a slash and `~0` a tilde.
  /// - Returns: nil for anything else.
  public init?(_ text: String) {
    description = text
    guard !text.isEmpty else {
      steps = []
      return
    }
    guard text.utf8.first == UInt8(ascii: "/") else { return nil }
    var steps: [String] = []
    for step in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      guard let step = Self.unescaped(step) else { return nil }
      steps.append(step)
    }
    self.steps = steps
  }

  /// A patch makes nothing deeper on its way than documents nest twice over (`PatchTree`), so that a pointer of more steps names nothing.
  static let maximumSteps = 2 * JSONLimits.maximumDepth

  /// Whether a pointer has more steps than that. To be asked before it is taken apart, which costs much for each step.
  static func hasTooManySteps(_ text: String) -> Bool {
    var steps = 0
    for byte in text.utf8 where byte == UInt8(ascii: "/") {
      steps += 1
      if steps > maximumSteps { return true }
    }
    return false
  }

  /// Whether this points to something inside of what the other one points to.
  func isInside(_ other: JSONPointer) -> Bool {
    steps.count > other.steps.count
      && zip(steps, other.steps).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
  }

  /// The step as an index of an array: decimal digits without zeros in front; nil for anything else.
  static func index(_ step: String) -> Int? {
    let digits = step.utf8
    guard !digits.isEmpty, digits.allSatisfy(JSONScanner.isDigit) else { return nil }
    return digits.count > 1 && digits.first == UInt8(ascii: "0") ? nil : Int(step)
  }

  private static func unescaped(_ step: Substring.UTF8View) -> String? {
    guard step.contains(UInt8(ascii: "~")) else { return String(Substring(step)) }
    var bytes: [UInt8] = []
    var rest = step
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "~") else {
        bytes.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "~"))
      case UInt8(ascii: "1"): bytes.append(UInt8(ascii: "/"))
      default: return nil
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  public static func == (a: Self, b: Self) -> Bool { a.description.utf8.elementsEqual(b.description.utf8) }
}
