/// JSON Merge Patch (RFC 7396) on JSON texts. What the patch does not touch keeps its bytes: number forms, spacing, the order of
/// keys. New members follow those that were there, in the order of the patch. Of equal keys the last one counts.
///
/// Every part of the result stands where the same part stood in one of the two texts, so it nests no deeper than they do. It can
/// be longer than the two together by the white space that new members take over.
public enum MergePatch {
  /// - Parameters: two valid JSON texts.
  /// - Returns: one valid JSON text, without white space around it. The work grows with the length of the texts.
  public static func apply(_ patch: UnsafeRawBufferPointer, to target: UnsafeRawBufferPointer) -> [UInt8] {
    do {
      var merge = try Merge(patch: JSONTape(patch), target: JSONTape(target))
      merge.writeResult(ofPatch: JSONTape.root, target: JSONTape.root)
      return merge.output
    } catch {
      preconditionFailure("a document or patch is checked before it is merged: \(error)")
    }
  }
}

private struct Merge {
  let patch: JSONTape
  let target: JSONTape
  private(set) var output: [UInt8] = []

  init(patch: JSONTape, target: JSONTape) {
    self.patch = patch
    self.target = target
    output.reserveCapacity(target.bytes.count + patch.bytes.count)
  }

  /// A member of the patch that counts, and the one of the target with the same key.
  private struct Change {
    let key: Int
    let value: Int
    var targetValue: Int?
  }

  /// Writes what the target's value becomes. Like the others here it calls itself no deeper than the patch nests.
  mutating func writeResult(ofPatch change: Int, target value: Int) {
    guard patch.isObject(change) else { return output.append(contentsOf: patch.text(of: change)) }
    guard target.isObject(value), target.next(after: value) > value + 1 else { return writeWithoutNulls(change) }
    writeMerged(change, into: value)
  }

  /// Writes an object of the patch that meets no object: itself, without the members that are null.
  private mutating func writeWithoutNulls(_ object: Int) {
    guard patch.isObject(object) else { return output.append(contentsOf: patch.text(of: object)) }
    var isFirst = true
    output.append(UInt8(ascii: "{"))
    for change in changes(in: object).list where !isNull(change.value) {
      writeSeparator(isFirst: isFirst, space: spaceBefore(change.key, in: patch))
      writeKey(change.key, before: change.value, in: patch)
      writeWithoutNulls(change.value)
      isFirst = false
    }
    if !isFirst { output.append(contentsOf: spaceAtEnd(of: object, in: patch)) }
    output.append(UInt8(ascii: "}"))
  }

  /// Writes an object of the target, which has members, as an object of the patch changes it.
  private mutating func writeMerged(_ object: Int, into value: Int) {
    var (changes, index) = changes(in: object)
    let members = target.members(of: value).map { ($0.key, $0.value, index[target.string($0.key)]) }
    for case (_, let value, let change?) in members { changes[change].targetValue = value }

    var isFirst = true
    let firstSpace = spaceBefore(value + 1, in: target)
    var lastSpace = firstSpace
    output.append(UInt8(ascii: "{"))
    for (key, value, change) in members {
      lastSpace = spaceBefore(key, in: target)
      if let change, isNull(changes[change].value) || changes[change].targetValue != value { continue }
      writeSeparator(isFirst: isFirst, space: isFirst ? firstSpace : lastSpace)
      writeKey(key, before: value, in: target)
      if let change {
        writeResult(ofPatch: changes[change].value, target: value)
      } else {
        output.append(contentsOf: target.text(of: value))
      }
      isFirst = false
    }
    for change in changes where change.targetValue == nil && !isNull(change.value) {
      // Only as much white space as indentation needs: a patch must not be able to multiply a long run of it.
      let ownSpace = spaceBefore(change.key, in: patch)
      writeSeparator(isFirst: isFirst, space: isFirst ? firstSpace : lastSpace.count <= 32 ? lastSpace : ownSpace)
      writeKey(change.key, before: change.value, in: patch)
      writeWithoutNulls(change.value)
      isFirst = false
    }
    if !isFirst { output.append(contentsOf: spaceAtEnd(of: value, in: target)) }
    output.append(UInt8(ascii: "}"))
  }

  /// The members of an object of the patch that count, in its order, and where each key is in that list.
  private func changes(in object: Int) -> (list: [Change], index: [JSONStringContent: Int]) {
    var list: [Change] = []
    var index: [JSONStringContent: Int] = [:]
    for (key, value) in patch.members(of: object) {
      let position = index[patch.string(key), default: list.count]
      if position == list.count {
        index[patch.string(key)] = position
        list.append(Change(key: key, value: value))
      } else {
        list[position] = Change(key: key, value: value)
      }
    }
    return (list, index)
  }

  private func isNull(_ value: Int) -> Bool { patch.firstByte(of: value) == UInt8(ascii: "n") }

  private mutating func writeSeparator(isFirst: Bool, space: Slice<UnsafeRawBufferPointer>) {
    if !isFirst { output.append(UInt8(ascii: ",")) }
    output.append(contentsOf: space)
  }

  /// Writes a key, the colon and the space around it.
  private mutating func writeKey(_ key: Int, before value: Int, in tape: JSONTape) {
    output.append(contentsOf: tape.bytes[tape.range(of: key).lowerBound..<tape.range(of: value).lowerBound])
  }

  /// The white space between a key and the comma or brace before it.
  private func spaceBefore(_ key: Int, in tape: JSONTape) -> Slice<UnsafeRawBufferPointer> {
    space(before: tape.range(of: key).lowerBound, in: tape)
  }

  /// The white space before an object's closing brace.
  private func spaceAtEnd(of object: Int, in tape: JSONTape) -> Slice<UnsafeRawBufferPointer> {
    space(before: tape.range(of: object).upperBound - 1, in: tape)
  }

  private func space(before end: Int, in tape: JSONTape) -> Slice<UnsafeRawBufferPointer> {
    var start = end
    // All white space lies at 0x20 or below, and nothing else does outside strings.
    while tape.bytes[start - 1] <= 0x20 { start -= 1 }
    return tape.bytes[start..<end]
  }
}
