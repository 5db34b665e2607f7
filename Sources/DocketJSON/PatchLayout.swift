/// The white space of an array or object: that around its first children stands for all.
struct PatchLayout {
  private let beforeFirst: [UInt8]
  private let beforeOthers: [UInt8]
  private let atEnd: [UInt8]
  /// The colon with the white space around it.
  let colon: [UInt8]

  /// More is not taken over: a patch must not be able to multiply a long run of white space.
  private static let maximumBytes = 256

  /// - Parameters:
  ///   - children: where elements or keys begin.
  ///   - members: of an object.
  init(_ text: UnsafeRawBufferPointer, children: [Range<Int>], members: [JSONMember]?) {
    func space(before end: Int) -> [UInt8] {
      var start = end
      while start > 0, text[start - 1] <= 0x20 { start -= 1 }
      return end - start > Self.maximumBytes ? [] : Array(text[start..<end])
    }
    // One child's white space, taken for that of all, must not make a text many times as long.
    func shared(_ space: [UInt8]) -> [UInt8] { space.count * children.count > 2 * text.count ? [] : space }
    beforeFirst = children.first.map { space(before: $0.lowerBound) } ?? []
    beforeOthers = children.count > 1 ? shared(space(before: children[1].lowerBound)) : beforeFirst
    atEnd = children.isEmpty ? [] : space(before: text.trimmingWhitespace.endIndex - 1)
    let between = members?.first.map { text[$0.key.range.upperBound..<$0.value.lowerBound] }
    let spaced = between.flatMap { $0.count > Self.maximumBytes ? nil : shared(Array($0)) } ?? []
    colon = spaced.isEmpty ? [UInt8(ascii: ":")] : spaced
  }

  /// What one child more takes at most, besides its key and value.
  var separatorBytes: Int { 1 + max(beforeFirst.count, beforeOthers.count) + colon.count }

  func write<Child>(
    _ opening: Unicode.Scalar, _ children: [Child], _ closing: Unicode.Scalar, into output: inout [UInt8],
    _ writeChild: (Child, inout [UInt8]) -> Void
  ) {
    output.append(UInt8(ascii: opening))
    for (index, child) in children.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      output.append(contentsOf: index == 0 ? beforeFirst : beforeOthers)
      writeChild(child, &output)
    }
    if !children.isEmpty { output.append(contentsOf: atEnd) }
    output.append(UInt8(ascii: closing))
  }
}

extension UnsafeRawBufferPointer {
  /// The value without the white space around it. All white space lies at 0x20 or below, and nothing else does outside strings.
  var trimmingWhitespace: Slice<UnsafeRawBufferPointer> {
    var slice = self[...]
    while let first = slice.first, first <= 0x20 { slice.removeFirst() }
    while let last = slice.last, last <= 0x20 { slice.removeLast() }
    return slice
  }
}
