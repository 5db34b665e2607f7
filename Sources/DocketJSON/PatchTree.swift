/// A JSON text that is being patched: as text where nothing has happened yet, opened into children where it has.
///
/// Everything in here is paid for from a budget, since patches run where others wait: opening and searching by the bytes
/// and children that are walked, insertion into an array by what it moves, `copy` and `test` by what they look at.
struct PatchTree {
  private enum Node {
    /// As it stands in the target or in the patch.
    case text(UnsafeRawBufferPointer)
    case array(Int)
    case object(Int)
  }

  private struct Object {
    struct Member {
      /// The key's token, quotes included.
      let key: [UInt8]
      /// nil: it was removed.
      var value: Node?
    }

    /// As it stood when it was opened, and stands unless it was changed.
    let source: UnsafeRawBufferPointer
    var isChanged = false
    var members: [Member] = []
    var places: [JSONStringContent: Int] = [:]
    var count: Int { places.count }
    let layout: PatchLayout
  }

  private struct Array {
    /// As it stood when it was opened, and stands unless it was changed.
    let source: UnsafeRawBufferPointer
    var isChanged = false
    var elements: [Node]
    let layout: PatchLayout
  }

  private var root: Node
  private var arrays: [Array] = []
  private var objects: [Object] = []
  private let maximumBytes: Int
  /// What the document would have at most if it were written now.
  private var bytes: Int
  /// What is left of the budget; one unit is about a tenth of a microsecond.
  private var budget: Int

  private typealias Misfit = JSONPatch.Misfit

  init(_ target: UnsafeRawBufferPointer, maximumBytes: Int) {
    root = .text(target)
    self.maximumBytes = maximumBytes
    bytes = target.count
    budget = 2 * maximumBytes + 10_000
  }

  /// - Parameter values: the text of the patch, in which the operation's values lie.
  mutating func carryOut(
    _ operation: JSONPatch.Operation, values: UnsafeRawBufferPointer
  ) throws(JSONPatch.Misfit) {
    // Even an operation that finds nothing has looked.
    try spend(1 + operation.path.steps.count)
    // Values are put no deeper than documents nest, so that the functions here call themselves no deeper than twice that.
    guard operation.path.steps.count <= JSONLimits.maximumDepth else { throw Misfit(.tooDeep) }
    func node(_ place: Range<Int>) -> Node { .text(UnsafeRawBufferPointer(rebasing: values[place])) }
    switch operation.kind {
    case .add(let value):
      bytes += value.count
      try add(node(value), at: operation.path)
    case .remove:
      _ = try remove(operation.path)
    case .replace(let value):
      bytes += value.count
      try replace(operation.path, with: node(value))
    case .move(let from):
      if from == operation.path {
        _ = try find(from)
      } else {
        let value = try remove(from)
        try checkDepth(of: value, at: operation.path.steps.count)
        try add(value, at: operation.path)
      }
    case .copy(let from):
      let value = try duplicate(try find(from))
      try checkDepth(of: value, at: operation.path.steps.count)
      try add(value, at: operation.path)
    case .test(let value):
      let expected = UnsafeRawBufferPointer(rebasing: values[value])
      guard try isSame(try find(operation.path), expected) else { throw Misfit(.testFailed(operation.path)) }
    }
  }

  private mutating func spend(_ units: Int) throws(JSONPatch.Misfit) {
    budget -= units
    if budget < 0 { throw Misfit(.tooMuchWork) }
  }

  // MARK: Operations

  private mutating func add(_ value: Node, at pointer: JSONPointer) throws(JSONPatch.Misfit) {
    guard let last = pointer.steps.last else {
      root = value
      return
    }
    switch try container(of: pointer, changing: true) {
    case .array(let array):
      let count = arrays[array].elements.count
      let index = try last == "-" ? count : index(last, of: pointer)
      guard index <= count else { throw Misfit(.outOfRange(pointer)) }
      try spend((count - index) / 128)
      arrays[array].elements.insert(value, at: index)
      bytes += arrays[array].layout.separatorBytes
    case .object(let object):
      set(last, to: value, in: object)
    case .text: throw Misfit(.notAContainer(pointer))
    }
    if bytes > 4 * maximumBytes + 64 { throw Misfit(.tooLarge) }
  }

  private mutating func remove(_ pointer: JSONPointer) throws(JSONPatch.Misfit) -> Node {
    guard let last = pointer.steps.last else { throw Misfit(.removesRoot) }
    switch try container(of: pointer, changing: true) {
    case .array(let array):
      let index = try existingIndex(last, in: array, pointer)
      try spend((arrays[array].elements.count - index) / 128)
      return arrays[array].elements.remove(at: index)
    case .object(let object):
      guard let place = objects[object].places.removeValue(forKey: JSONStringContent(last)),
        let value = objects[object].members[place].value
      else { throw Misfit(.nothingThere(pointer)) }
      objects[object].members[place].value = nil
      return value
    case .text: throw Misfit(.notAContainer(pointer))
    }
  }

  private mutating func replace(_ pointer: JSONPointer, with value: Node) throws(JSONPatch.Misfit) {
    guard let last = pointer.steps.last else {
      root = value
      return
    }
    switch try container(of: pointer, changing: true) {
    case .array(let array):
      arrays[array].elements[try existingIndex(last, in: array, pointer)] = value
    case .object(let object):
      guard let place = objects[object].places[JSONStringContent(last)] else { throw Misfit(.nothingThere(pointer)) }
      objects[object].members[place].value = value
    case .text: throw Misfit(.notAContainer(pointer))
    }
  }

  private mutating func set(_ name: String, to value: Node, in object: Int) {
    let key = JSONStringContent(name)
    if let place = objects[object].places[key] {
      objects[object].members[place].value = value
      return
    }
    var token: [UInt8] = []
    JSONString.encode(name, into: &token)
    bytes += token.count + objects[object].layout.separatorBytes
    objects[object].places[key] = objects[object].members.count
    objects[object].members.append(Object.Member(key: token, value: value))
  }

  // MARK: Ways

  private mutating func find(_ pointer: JSONPointer) throws(JSONPatch.Misfit) -> Node {
    guard let last = pointer.steps.last else { return root }
    switch try container(of: pointer, changing: false) {
    case .array(let array): return arrays[array].elements[try existingIndex(last, in: array, pointer)]
    case .object(let object):
      guard let place = objects[object].places[JSONStringContent(last)],
        let value = objects[object].members[place].value
      else { throw Misfit(.nothingThere(pointer)) }
      return value
    case .text: throw Misfit(.notAContainer(pointer))
    }
  }

  /// Opens everything on the way to what holds the pointer's last step, and returns that: opened, or a scalar as text.
  /// - Parameter changing: whether something in it will be another; otherwise all on the way stays as it is written.
  private mutating func container(of pointer: JSONPointer, changing: Bool) throws(JSONPatch.Misfit) -> Node {
    root = try opened(root)
    if changing { markChanged(root) }
    var node = root
    for step in pointer.steps.dropLast() {
      switch node {
      case .array(let array):
        let index = try existingIndex(step, in: array, pointer)
        node = try opened(arrays[array].elements[index])
        arrays[array].elements[index] = node
      case .object(let object):
        guard let place = objects[object].places[JSONStringContent(step)],
          let value = objects[object].members[place].value
        else { throw Misfit(.nothingThere(pointer)) }
        node = try opened(value)
        objects[object].members[place].value = node
      case .text: throw Misfit(.notAContainer(pointer))
      }
      if changing { markChanged(node) }
    }
    return node
  }

  private mutating func markChanged(_ node: Node) {
    switch node {
    case .text: break
    case .array(let array): arrays[array].isChanged = true
    case .object(let object): objects[object].isChanged = true
    }
  }

  private func index(_ step: String, of pointer: JSONPointer) throws(JSONPatch.Misfit) -> Int {
    guard let index = JSONPointer.index(step) else { throw Misfit(.notAnIndex(pointer)) }
    return index
  }

  private func existingIndex(_ step: String, in array: Int, _ pointer: JSONPointer) throws(JSONPatch.Misfit) -> Int {
    if step == "-" { throw Misfit(.nothingThere(pointer)) }
    let index = try index(step, of: pointer)
    guard index < arrays[array].elements.count else { throw Misfit(.outOfRange(pointer)) }
    return index
  }

  /// The node with its children at hand, if it has any.
  private mutating func opened(_ node: Node) throws(JSONPatch.Misfit) -> Node {
    guard case .text(let text) = node else { return node }
    try spend(text.count / 64)
    if let elements = JSONChildren.elements(of: text) {
      try spend(elements.count / 8)
      let layout = PatchLayout(text, children: elements, members: nil)
      arrays.append(
        Array(
          source: text, elements: elements.map { .text(UnsafeRawBufferPointer(rebasing: text[$0])) }, layout: layout))
      return .array(arrays.count - 1)
    }
    if let members = JSONChildren.members(of: text) {
      try spend(members.count)
      let keys = members.map { $0.key.range }
      var object = Object(source: text, layout: PatchLayout(text, children: keys, members: members))
      for member in members {
        let token = UnsafeRawBufferPointer(rebasing: text[member.key.range])
        let value = Node.text(UnsafeRawBufferPointer(rebasing: text[member.value]))
        let key = JSONStringContent(token: token, hasEscapes: member.key.hasEscapes)
        if let earlier = object.places[key] { object.members[earlier].value = nil }
        object.places[key] = object.members.count
        object.members.append(Object.Member(key: Swift.Array(token), value: value))
      }
      objects.append(object)
      return .object(objects.count - 1)
    }
    return node
  }

  // MARK: Whole values

  /// A copy that changes by itself.
  private mutating func duplicate(_ node: Node) throws(JSONPatch.Misfit) -> Node {
    switch node {
    case .text(let text):
      bytes += text.count
      if bytes > 4 * maximumBytes + 64 { throw Misfit(.tooLarge) }
      return node
    case .array(let index):
      var copy = arrays[index]
      try spend(copy.elements.count)
      bytes += 2 + copy.elements.count * copy.layout.separatorBytes
      for place in copy.elements.indices { copy.elements[place] = try duplicate(copy.elements[place]) }
      arrays.append(copy)
      return .array(arrays.count - 1)
    case .object(let index):
      var copy = objects[index]
      try spend(copy.members.count)
      for place in copy.members.indices {
        guard let value = copy.members[place].value else { continue }
        bytes += copy.members[place].key.count + copy.layout.separatorBytes
        copy.members[place].value = try duplicate(value)
      }
      objects.append(copy)
      return .object(objects.count - 1)
    }
  }

  /// Refuses what would nest opened nodes deeper than documents may: the functions here call themselves as deep as that,
  /// and as what they open on one more way.
  private mutating func checkDepth(of node: Node, at depth: Int) throws(JSONPatch.Misfit) {
    guard depth <= JSONLimits.maximumDepth else { throw Misfit(.tooDeep) }
    switch node {
    case .text: break
    case .array(let index):
      try spend(arrays[index].elements.count / 8)
      for element in arrays[index].elements { try checkDepth(of: element, at: depth + 1) }
    case .object(let index):
      try spend(objects[index].members.count / 8)
      for case let value? in objects[index].members.map(\.value) { try checkDepth(of: value, at: depth + 1) }
    }
  }

  private mutating func isSame(_ node: Node, _ expected: UnsafeRawBufferPointer) throws(JSONPatch.Misfit) -> Bool {
    switch node {
    case .text(let text):
      guard Self.kind(text) == Self.kind(expected) else { return false }
      try spend((text.count + expected.count) / 8)
      return JSONEquality.same(text, expected)
    case .array(let index):
      guard let others = JSONChildren.elements(of: expected) else { return false }
      try spend(expected.count / 64 + others.count)
      guard others.count == arrays[index].elements.count else { return false }
      for (element, other) in zip(arrays[index].elements, others) {
        guard try isSame(element, UnsafeRawBufferPointer(rebasing: expected[other])) else { return false }
      }
      return true
    case .object(let index):
      guard let others = JSONChildren.members(of: expected) else { return false }
      try spend(expected.count / 64 + others.count)
      var values: [JSONStringContent: UnsafeRawBufferPointer] = [:]
      for other in others {
        let token = UnsafeRawBufferPointer(rebasing: expected[other.key.range])
        values[JSONStringContent(token: token, hasEscapes: other.key.hasEscapes)] =
          UnsafeRawBufferPointer(rebasing: expected[other.value])
      }
      guard values.count == objects[index].count else { return false }
      for (key, place) in objects[index].places {
        guard let other = values[key], let value = objects[index].members[place].value, try isSame(value, other) else {
          return false
        }
      }
      return true
    }
  }

  /// The first byte tells strings, objects, arrays and the three words apart; numbers are one kind.
  private static func kind(_ text: UnsafeRawBufferPointer) -> UInt8? {
    var scanner = JSONScanner(text)
    scanner.skipWhitespace()
    guard let first = scanner.next else { return nil }
    return JSONScanner.isDigit(first) ? UInt8(ascii: "-") : first
  }

  // MARK: Writing

  func text() -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(bytes)
    write(root, into: &output)
    return output
  }

  private func write(_ node: Node, into output: inout [UInt8]) {
    switch node {
    case .text(let text):
      output.append(contentsOf: text.trimmingWhitespace)
    case .array(let index):
      let array = arrays[index]
      guard array.isChanged else { return write(.text(array.source), into: &output) }
      array.layout.write("[", array.elements, "]", into: &output) { element, output in write(element, into: &output) }
    case .object(let index):
      let object = objects[index]
      guard object.isChanged else { return write(.text(object.source), into: &output) }
      let members = object.members.filter { $0.value != nil }
      object.layout.write("{", members, "}", into: &output) { member, output in
        guard let value = member.value else { return }
        output.append(contentsOf: member.key)
        output.append(contentsOf: object.layout.colon)
        write(value, into: &output)
      }
    }
  }
}
