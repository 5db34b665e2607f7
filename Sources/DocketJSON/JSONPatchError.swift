/// Why a JSON Patch cannot be applied, and which of its operations cannot.
public struct JSONPatchError: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    // What was sent is no patch.
    case notAnArray
    case notAnObject
    case missing(String)
    case notAString(String)
    /// A string with half of a surrogate pair.
    case notText(String)
    case unknownOperation
    case notAPointer(String)
    case tooManySteps(String)
    case movesIntoItself

    // It does not fit the document.
    case nothingThere(JSONPointer)
    case notAContainer(JSONPointer)
    case notAnIndex(JSONPointer)
    case outOfRange(JSONPointer)
    case removesRoot
    /// What `test` demands is not so.
    case testFailed(JSONPointer)

    // It asks for more than it may.
    case tooLarge
    case tooDeep
    case tooMuchWork
  }

  public let reason: Reason
  /// Which operation, counted from 0; nil where it is about the patch as a whole.
  public let operation: Int?

  public init(_ reason: Reason, operation: Int?) {
    self.reason = reason
    self.operation = operation
  }
}

extension JSONPatchError: CustomStringConvertible {
  /// What is wrong, in a sentence for the one who sent the patch.
  public var description: String {
    guard let operation else { return "\(reason)." }
    return "Operation \(operation) of the patch, counted from 0: \(reason)."
  }
}

extension JSONPatchError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAnArray: "a JSON Patch is an array of operations"
    case .notAnObject: "an operation is an object such as {\"op\": \"add\", \"path\": \"/a\", \"value\": 1}"
    case .missing(let member): "it has no '\(member)'"
    case .notAString(let member): "its '\(member)' is not a string"
    case .notText(let member): "its '\(member)' holds half of a surrogate pair, which is no character"
    case .unknownOperation: "its 'op' is none of add, remove, replace, move, copy and test"
    case .notAPointer(let member):
      "its '\(member)' is no JSON Pointer: empty, or steps that each begin with '/', with ~1 for '/' and ~0 for '~'"
    case .tooManySteps(let member):
      "its '\(member)' has more than \(JSONPointer.maximumSteps) steps, and documents nest \(JSONLimits.maximumDepth) deep at most"
    case .movesIntoItself: "a value cannot be moved into itself"
    case .nothingThere(let pointer): "there is nothing at '\(Self.shown(pointer))'"
    case .notAContainer(let pointer): "'\(Self.shown(pointer))' leads into something that is neither object nor array"
    case .notAnIndex(let pointer):
      "'\(Self.shown(pointer))' leads into an array by a step that is no index (digits without zeros in front, or - to append)"
    case .outOfRange(let pointer): "'\(Self.shown(pointer))' is behind the end of its array"
    case .removesRoot: "the whole document cannot be removed by a patch; DELETE does that"
    case .testFailed(let pointer): "the value at '\(Self.shown(pointer))' is not the one that 'test' demands"
    case .tooLarge: "the patch copies more than one patch may; send it in parts"
    case .tooDeep: "the document would nest too deep on the way"
    case .tooMuchWork: "the patch is more work than one request may be; send it in parts"
    }
  }

  /// How much of a pointer an error repeats, in characters.
  private static let shownCharacters = 200

  private static func shown(_ pointer: JSONPointer) -> String {
    let text = pointer.description
    // Whoever sent it knows it; what matters is to see which one is meant.
    let end = text.index(text.startIndex, offsetBy: shownCharacters, limitedBy: text.endIndex) ?? text.endIndex
    return end == text.endIndex ? text : "\(text[..<end])…"
  }
}
