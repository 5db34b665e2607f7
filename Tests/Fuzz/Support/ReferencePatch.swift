/// Patches on trees, done the way the RFCs tell it and no faster.
enum ReferencePatch {
  /// RFC 7396, section 2.
  static func merge(_ patch: ReferenceJSON, into target: ReferenceJSON) -> ReferenceJSON {
    guard let changes = patch.members else { return patch }
    var members = target.members ?? []
    for change in changes {
      let place = members.firstIndex { $0.key == change.key }
      if case .null = change.value {
        if let place { members.remove(at: place) }
      } else if let place {
        members[place].value = merge(change.value, into: members[place].value)
      } else {
        members.append((change.key, merge(change.value, into: .null)))
      }
    }
    return .object(members)
  }

  enum Outcome {
    case changed(ReferenceJSON)
    case refused
    /// It is too much for this model to tell.
    case unknown
  }

  /// RFC 6902, section 4. All operations are read before the first is carried out.
  static func apply(_ patch: ReferenceJSON, to target: ReferenceJSON) -> Outcome {
    guard case .array(let written) = patch else { return .refused }
    var operations: [Operation] = []
    for operation in written {
      guard let operation = Operation(operation) else { return .refused }
      operations.append(operation)
    }
    var tree = target
    for operation in operations {
      switch operation.carryOut(on: tree) {
      case .changed(let changed): tree = changed
      case let other: return other
      }
    }
    return .changed(tree)
  }

  private struct Operation {
    let name: String
    let path: [[UInt16]]
    let from: [[UInt16]]?
    let value: ReferenceJSON?

    init?(_ json: ReferenceJSON) {
      guard case .string(let name)? = json.member("op"), let path = json.member("path").flatMap(Self.steps) else {
        return nil
      }
      self.name = String(decoding: name, as: UTF16.self)
      self.path = path
      value = json.member("value")
      from = json.member("from").flatMap(Self.steps)
      switch self.name {
      case "add", "replace", "test": if value == nil { return nil }
      case "copy": if from == nil { return nil }
      case "move":
        guard let from else { return nil }
        if path.count > from.count, path.starts(with: from) { return nil }
      case "remove": break
      default: return nil
      }
    }

    /// RFC 6901; only text is a pointer.
    private static func steps(_ json: ReferenceJSON) -> [[UInt16]]? {
      guard case .string(let units) = json, let text = String(validating: units, as: UTF16.self) else { return nil }
      if text.isEmpty { return [] }
      let parts = text.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false)
      guard parts[0].isEmpty else { return nil }
      var steps: [[UInt16]] = []
      for part in parts.dropFirst() {
        var step = ""
        var rest = part[...]
        while let scalar = rest.popFirst() {
          guard scalar == "~" else {
            step.unicodeScalars.append(scalar)
            continue
          }
          switch rest.popFirst() {
          case "0": step += "~"
          case "1": step += "/"
          default: return nil
          }
        }
        steps.append(Array(step.utf16))
      }
      return steps
    }

    func carryOut(on tree: ReferenceJSON) -> Outcome {
      func outcome(_ changed: ReferenceJSON?) -> Outcome { changed.map { .changed($0) } ?? .refused }
      switch (name, value, from) {
      case ("add", let value?, _): return outcome(tree.adding(value, at: path[...]))
      case ("remove", _, _): return path.isEmpty ? .refused : outcome(tree.removing(path[...]))
      case ("replace", let value?, _):
        return outcome(tree.value(at: path[...]).flatMap { _ in tree.replacing(path[...], with: value) })
      case ("copy", _, let from?): return outcome(tree.value(at: from[...]).flatMap { tree.adding($0, at: path[...]) })
      case ("move", _, let from?):
        guard let value = tree.value(at: from[...]) else { return .refused }
        if from == path { return .changed(tree) }
        return outcome(from.isEmpty ? nil : tree.removing(from[...])?.adding(value, at: path[...]))
      case ("test", let value?, _):
        guard let found = tree.value(at: path[...]) else { return .refused }
        guard let isSame = found.isSame(as: value) else { return .unknown }
        return isSame ? .changed(tree) : .refused
      default: return .refused
      }
    }
  }
}

extension ReferenceJSON {
  private static func index(_ step: [UInt16], upTo count: Int) -> Int? {
    guard !step.isEmpty, step.allSatisfy({ (0x30...0x39).contains($0) }), step.count == 1 || step[0] != 0x30,
      let index = Int(String(decoding: step, as: UTF16.self)), index < count
    else { return nil }
    return index
  }

  fileprivate func value(at path: ArraySlice<[UInt16]>) -> ReferenceJSON? {
    guard let step = path.first else { return self }
    switch self {
    case .array(let elements):
      return Self.index(step, upTo: elements.count).flatMap { elements[$0].value(at: path.dropFirst()) }
    case .object: return members?.first { $0.key == step }.flatMap { $0.value.value(at: path.dropFirst()) }
    default: return nil
    }
  }

  /// The tree with another value where there is one.
  fileprivate func replacing(_ path: ArraySlice<[UInt16]>, with value: ReferenceJSON) -> ReferenceJSON? {
    guard let step = path.first else { return value }
    switch self {
    case .array(var elements):
      guard let index = Self.index(step, upTo: elements.count),
        let element = elements[index].replacing(path.dropFirst(), with: value)
      else { return nil }
      elements[index] = element
      return .array(elements)
    case .object:
      var members = members ?? []
      guard let place = members.firstIndex(where: { $0.key == step }),
        let member = members[place].value.replacing(path.dropFirst(), with: value)
      else { return nil }
      members[place].value = member
      return .object(members)
    default: return nil
    }
  }

  fileprivate func adding(_ value: ReferenceJSON, at path: ArraySlice<[UInt16]>) -> ReferenceJSON? {
    guard let last = path.last else { return value }
    guard let parent = self.value(at: path.dropLast()) else { return nil }
    switch parent {
    case .array(var elements):
      let end = Array("-".utf16)
      guard let index = last == end ? elements.count : Self.index(last, upTo: elements.count + 1) else { return nil }
      elements.insert(value, at: index)
      return replacing(path.dropLast(), with: .array(elements))
    case .object:
      let others = (parent.members ?? []).filter { $0.key != last }
      return replacing(path.dropLast(), with: .object(others + [(last, value)]))
    default: return nil
    }
  }

  fileprivate func removing(_ path: ArraySlice<[UInt16]>) -> ReferenceJSON? {
    guard let last = path.last, value(at: path) != nil, let parent = value(at: path.dropLast()) else { return nil }
    switch parent {
    case .array(var elements):
      guard let index = Self.index(last, upTo: elements.count) else { return nil }
      elements.remove(at: index)
      return replacing(path.dropLast(), with: .array(elements))
    case .object: return replacing(path.dropLast(), with: .object((parent.members ?? []).filter { $0.key != last }))
    default: return nil
    }
  }
}
