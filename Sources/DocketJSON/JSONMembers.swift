/// One member of an object: where its key and its value lie in the text.
public struct JSONMember: Equatable, Sendable {
  public let key: JSONScanner.StringToken
  public let value: Range<Int>
}

/// The members of one object in the order of the text, checked as they are walked through, without building anything.
/// Equal keys are all told; it is for the caller to let the last one count.
///
/// ```swift
/// var members = try JSONMembers(of: scanner)
/// while let member = try members.next() { … }
/// try members.finish()
/// ```
public struct JSONMembers {
  /// Once `next` has returned nil it stands behind the object's closing brace.
  public private(set) var scanner: JSONScanner

  private let depth: Int
  private var state = State.first

  private enum State {
    case first
    case later
    case ended
  }

  /// - Parameters:
  ///   - scanner: stands at the object's opening brace.
  ///   - depth: how many containers a value of this object counts as being in; 0 measures each value by itself.
  public init(of scanner: JSONScanner, depth: Int = 0) throws(JSONError) {
    guard scanner.next == UInt8(ascii: "{") else { throw scanner.unexpected() }
    self.scanner = scanner
    self.scanner.offset += 1
    self.depth = depth
  }

  /// The next member, or nil when the object has ended.
  public mutating func next() throws(JSONError) -> JSONMember? {
    switch state {
    case .ended:
      return nil
    case .first:
      scanner.skipWhitespace()
      if scanner.next == UInt8(ascii: "}") {
        scanner.offset += 1
        state = .ended
        return nil
      }
      state = .later
    case .later:
      guard try scanner.skipSeparator(closing: UInt8(ascii: "}")) else {
        state = .ended
        return nil
      }
    }
    let key = try scanner.skipKey()
    return JSONMember(key: key, value: try scanner.skipValue(depth: depth))
  }
  /// Throws unless only white space is left behind the object. To be called once `next` has returned nil.
  public mutating func finish() throws(JSONError) {
    precondition(state == .ended, "the object's end is not known before its members have been walked through")
    try scanner.finish()
  }
}
