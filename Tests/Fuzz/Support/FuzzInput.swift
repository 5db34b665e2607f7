/// Takes decisions from a fuzzer's bytes. Where they have ended all decisions are the first choice.
struct FuzzInput {
  private(set) var rest: UnsafeRawBufferPointer.SubSequence

  init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

  var isEmpty: Bool { rest.isEmpty }

  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  /// A number from 0 up to and without `bound`, which is 256 at most.
  mutating func choose(_ bound: Int) -> Int { Int(byte()) % bound }

  mutating func flip() -> Bool { byte() & 1 == 1 }

  mutating func element<Element>(_ elements: [Element]) -> Element { elements[choose(elements.count)] }

  mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer.SubSequence {
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  mutating func all() -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes(rest.count)) }

  /// What stands before a NUL, or before the end.
  mutating func part() -> UnsafeRawBufferPointer {
    let end = rest.firstIndex(of: 0) ?? rest.endIndex
    defer { rest = rest[end...].dropFirst() }
    return UnsafeRawBufferPointer(rebasing: rest[..<end])
  }
}
