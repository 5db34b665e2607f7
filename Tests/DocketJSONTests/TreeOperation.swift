import DocketJSON

/// An operation of a JSON Patch on a tree, done the way RFC 6902 tells it and no faster.
struct TreeOperation {
  enum Kind {
    case add(JSONTree)
    case remove
    case replace(JSONTree)
    case move(from: [String])
    case copy(from: [String])
    case test(JSONTree)
  }

  let kind: Kind
  let path: [String]

  static func random(using random: inout SeededGenerator) -> TreeOperation {
    let path = randomPath(using: &random)
    let value = JSONTree.random(depth: 1, using: &random)
    switch random.choose(12) {
    case 0...4: return TreeOperation(kind: .add(value), path: path)
    case 5: return TreeOperation(kind: .remove, path: path)
    case 6, 7: return TreeOperation(kind: .replace(value), path: path)
    case 8, 9: return TreeOperation(kind: .copy(from: randomPath(using: &random)), path: path)
    case 10: return TreeOperation(kind: .test(value), path: path)
    default: return TreeOperation(kind: .move(from: randomPath(using: &random)), path: path)
    }
  }

  private static func randomPath(using random: inout SeededGenerator) -> [String] {
    let steps = ["", "a", "b", "c", "é", "\"\\\n", "0", "1", "2", "-"]
    return (0..<random.choose(4)).map { _ in steps[random.choose(steps.count)] }
  }

  func text(using random: inout SeededGenerator) -> String {
    func pointer(_ steps: [String]) -> String {
      JSONTreeWriter.varied(.string(Array(steps.map { "/\($0)" }.joined().utf16)), using: &random)
    }
    let path = "\"path\":\(pointer(path))"
    switch kind {
    case .add(let value): return #"{"op":"add",\#(path),"value":\#(JSONTreeWriter.varied(value, using: &random))}"#
    case .remove: return #"{"op":"remove",\#(path)}"#
    case .replace(let value):
      return #"{\#(path),"op":"replace","value":\#(JSONTreeWriter.varied(value, using: &random))}"#
    case .move(let from): return #"{"op":"move","from":\#(pointer(from)),\#(path)}"#
    case .copy(let from): return #"{"op":"copy","from":\#(pointer(from)),\#(path)}"#
    case .test(let value): return #"{"op":"test",\#(path),"value":\#(JSONTreeWriter.varied(value, using: &random))}"#
    }
  }

  /// The tree after the operation; nil if it cannot be done.
  func applied(to tree: JSONTree) -> JSONTree? {
    switch kind {
    case .add(let value): return tree.adding(value, at: path[...])
    case .remove: return tree.removing(path[...])
    case .replace(let value):
      return path.isEmpty ? value : tree.value(at: path[...]).flatMap { _ in tree.replacing(path[...], with: value) }
    case .copy(let from): return tree.value(at: from[...]).flatMap { tree.adding($0, at: path[...]) }
    case .move(let from):
      guard let value = tree.value(at: from[...]) else { return nil }
      if from == path { return tree }
      if path.starts(with: from) { return nil }
      return tree.removing(from[...])?.adding(value, at: path[...])
    case .test(let value):
      guard let found = tree.value(at: path[...]) else { return nil }
      let (a, b) = (Array(JSONTreeWriter.plain(found).utf8), Array(JSONTreeWriter.plain(value).utf8))
      return a.withUnsafeBytes { a in b.withUnsafeBytes { JSONEquality.same(a, $0) } } ? tree : nil
    }
  }
}

extension JSONTree {
  private func index(_ step: String, upTo count: Int) -> Int? {
    guard let index = ["0": 0, "1": 1, "2": 2][step], index < count else { return nil }
    return index
  }

  fileprivate func value(at path: ArraySlice<String>) -> JSONTree? {
    guard let step = path.first else { return self }
    switch self {
    case .array(let elements):
      return index(step, upTo: elements.count).flatMap { elements[$0].value(at: path.dropFirst()) }
    case .object(let members):
      return members.first { $0.key == Array(step.utf16) }.flatMap { $0.value.value(at: path.dropFirst()) }
    default: return nil
    }
  }

  /// The tree with another value where there is one.
  fileprivate func replacing(_ path: ArraySlice<String>, with value: JSONTree) -> JSONTree? {
    guard let step = path.first else { return value }
    switch self {
    case .array(var elements):
      guard let index = index(step, upTo: elements.count),
        let element = elements[index].replacing(path.dropFirst(), with: value)
      else { return nil }
      elements[index] = element
      return .array(elements)
    case .object(var members):
      guard let index = members.firstIndex(where: { $0.key == Array(step.utf16) }),
        let member = members[index].value.replacing(path.dropFirst(), with: value)
      else { return nil }
      members[index].value = member
      return .object(members)
    default: return nil
    }
  }

  fileprivate func adding(_ value: JSONTree, at path: ArraySlice<String>) -> JSONTree? {
    guard let last = path.last else { return value }
    guard let parent = self.value(at: path.dropLast()) else { return nil }
    switch parent {
    case .array(var elements):
      guard let index = last == "-" ? elements.count : index(last, upTo: elements.count + 1) else { return nil }
      elements.insert(value, at: index)
      return replacing(path.dropLast(), with: .array(elements))
    case .object(let members):
      let others = members.filter { $0.key != Array(last.utf16) }
      return replacing(path.dropLast(), with: .object(others + [(Array(last.utf16), value)]))
    default: return nil
    }
  }

  fileprivate func removing(_ path: ArraySlice<String>) -> JSONTree? {
    guard let last = path.last, value(at: path) != nil, let parent = value(at: path.dropLast()) else { return nil }
    switch parent {
    case .array(var elements):
      guard let index = index(last, upTo: elements.count) else { return nil }
      elements.remove(at: index)
      return replacing(path.dropLast(), with: .array(elements))
    case .object(let members):
      return replacing(path.dropLast(), with: .object(members.filter { $0.key != Array(last.utf16) }))
    default: return nil
    }
  }
}
