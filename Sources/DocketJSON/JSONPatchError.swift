/// Why a JSON Patch cannot be applied, and which of its operations cannot.
public struct JSONPatchError: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    // What was sent is no patch.
    case notAnArray
    case notAnObject
    case missing(String)
    case notAString(String)
    case unknownOperation
    case notAPointer(String)
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
    case .unknownOperation: "its 'op' is none of add, remove, replace, move, copy and test"
    case .notAPointer(let member):
      "its '\(member)' is no JSON Pointer: empty, or steps that each begin with '/', with ~1 for '/' and ~0 for '~'"
    case .movesIntoItself: "a value cannot be moved into itself"
    case .nothingThere(let pointer): "there is nothing at '\(pointer)'"
    case .notAContainer(let pointer): "'\(pointer)' leads into something that is neither object nor array"
    case .notAnIndex(let pointer):
      "'\(pointer)' leads into an array by a step that is no index (digits without zeros in front, or - to append)"
    case .outOfRange(let pointer): "'\(pointer)' is behind the end of its array"
    case .removesRoot: "the whole document cannot be removed by a patch; DELETE does that"
    case .testFailed(let pointer): "the value at '\(pointer)' is not the one that 'test' demands"
    case .tooLarge: "the document would grow beyond all bounds on the way"
    case .tooDeep: "the document would nest too deep on the way"
    case .tooMuchWork: "the patch is more work than one request may be; send it in parts"
    }
  }
}
