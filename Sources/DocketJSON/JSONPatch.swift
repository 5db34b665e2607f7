import NIOCore

/// A JSON Patch (RFC 6902): operations that are carried out one after the other, all or none.
public struct JSONPatch: Equatable, Sendable {
  struct Operation: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
      case add(Range<Int>)
      case remove
      case replace(Range<Int>)
      case move(from: JSONPointer)
      case copy(from: JSONPointer)
      case test(Range<Int>)
    }

    /// Values are places in the patch's text.
    let kind: Kind
    let path: JSONPointer
  }

  /// The patch as it was written.
  public let text: ByteBuffer
  let operations: [Operation]

  /// Reads a patch. Members of an operation that the RFC does not name are passed over; of equal ones the last counts.
  /// - Parameter text: valid JSON text.
  public init(_ text: ByteBuffer) throws(JSONPatchError) {
    self.text = text
    operations = try text.withUnsafeReadableBytes { bytes in
      Result { () throws(JSONPatchError) in try Self.operations(in: bytes) }
    }.get()
  }

  private static func operations(in bytes: UnsafeRawBufferPointer) throws(JSONPatchError) -> [Operation] {
    guard let elements = JSONChildren.elements(of: bytes) else { throw JSONPatchError(.notAnArray, operation: nil) }
    var operations: [Operation] = []
    for (index, element) in elements.enumerated() {
      do throws(Misfit) {
        operations.append(try OperationMembers(element, in: bytes).operation())
      } catch {
        throw JSONPatchError(error.reason, operation: index)
      }
    }
    return operations
  }

  /// Applies the patch.
  ///
  /// What it does not touch keeps its bytes; an object or array in which something comes or goes is written anew in the
  /// layout that it had, without the earlier ones of equal keys.
  /// - Parameters:
  ///   - target: valid JSON text.
  ///   - maximumBytes: the largest document there may be. On the way it may be four times as large; the work is bounded
  ///     in proportion to it.
  /// - Returns: valid JSON text, without white space around it. It may be longer and deeper than documents may be.
  public func apply(to target: UnsafeRawBufferPointer, maximumBytes: Int) throws(JSONPatchError) -> [UInt8] {
    try text.withUnsafeReadableBytes { bytes in
      Result { () throws(JSONPatchError) in try apply(bytes, to: target, maximumBytes: maximumBytes) }
    }.get()
  }

  private func apply(
    _ bytes: UnsafeRawBufferPointer, to target: UnsafeRawBufferPointer, maximumBytes: Int
  ) throws(JSONPatchError) -> [UInt8] {
    var tree = PatchTree(target, maximumBytes: maximumBytes)
    for (index, operation) in operations.enumerated() {
      do throws(Misfit) {
        try tree.carryOut(operation, values: bytes)
      } catch {
        throw JSONPatchError(error.reason, operation: index)
      }
    }
    return tree.text()
  }

  /// A reason whose operation is known one level above.
  struct Misfit: Error {
    let reason: JSONPatchError.Reason

    init(_ reason: JSONPatchError.Reason) { self.reason = reason }
  }
}

/// The members of one operation, as places in the patch's text.
private struct OperationMembers {
  private let bytes: UnsafeRawBufferPointer
  private var op: Range<Int>?
  private var path: Range<Int>?
  private var from: Range<Int>?
  private var value: Range<Int>?

  init(_ element: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(JSONPatch.Misfit) {
    self.bytes = bytes
    guard let members = JSONChildren.members(of: UnsafeRawBufferPointer(rebasing: bytes[element])) else {
      throw JSONPatch.Misfit(.notAnObject)
    }
    for member in members {
      let offset = element.lowerBound
      let key = UnsafeRawBufferPointer(
        rebasing: bytes[offset + member.key.range.lowerBound..<offset + member.key.range.upperBound])
      let place = offset + member.value.lowerBound..<offset + member.value.upperBound
      switch JSONString.decode(key) {
      case "op": op = place
      case "path": path = place
      case "from": from = place
      case "value": value = place
      default: break
      }
    }
  }

  func operation() throws(JSONPatch.Misfit) -> JSONPatch.Operation {
    let kind: JSONPatch.Operation.Kind
    let name = try text(op, "op")
    let path = try pointer(path, "path")
    switch name {
    case "add": kind = .add(try given(value, "value"))
    case "remove": kind = .remove
    case "replace": kind = .replace(try given(value, "value"))
    case "test": kind = .test(try given(value, "value"))
    case "copy": kind = .copy(from: try pointer(from, "from"))
    case "move":
      let from = try pointer(from, "from")
      if path.isInside(from) { throw JSONPatch.Misfit(.movesIntoItself) }
      kind = .move(from: from)
    default: throw JSONPatch.Misfit(.unknownOperation)
    }
    return JSONPatch.Operation(kind: kind, path: path)
  }

  private func given(_ place: Range<Int>?, _ name: String) throws(JSONPatch.Misfit) -> Range<Int> {
    guard let place else { throw JSONPatch.Misfit(.missing(name)) }
    return place
  }

  private func text(_ place: Range<Int>?, _ name: String) throws(JSONPatch.Misfit) -> String {
    let token = UnsafeRawBufferPointer(rebasing: bytes[try given(place, name)])
    guard token.first == UInt8(ascii: "\"") else { throw JSONPatch.Misfit(.notAString(name)) }
    guard let text = JSONString.decode(token) else { throw JSONPatch.Misfit(.notText(name)) }
    return text
  }

  private func pointer(_ place: Range<Int>?, _ name: String) throws(JSONPatch.Misfit) -> JSONPointer {
    let text = try text(place, name)
    guard !JSONPointer.hasTooManySteps(text) else { throw JSONPatch.Misfit(.tooManySteps(name)) }
    guard let pointer = JSONPointer(text) else { throw JSONPatch.Misfit(.notAPointer(name)) }
    return pointer
  }
}
