import DocketJSON

extension CollectionSettings {
  /// As a store keeps them: `{"indexes": [["status", "-priority"]]}`.
  public var json: String {
    var text: [UInt8] = Array("{\"indexes\": [".utf8)
    for (number, index) in indexes.enumerated() {
      text += Array((number > 0 ? ", [" : "[").utf8)
      for (position, name) in index.names.enumerated() {
        if position > 0 { text += Array(", ".utf8) }
        JSONString.encode(name, into: &text)
      }
      text.append(UInt8(ascii: "]"))
    }
    return String(decoding: text + Array("]}".utf8), as: UTF8.self)
  }

  /// Reads what `json` wrote. What is not of that form counts as not set.
  public init(stored text: UnsafeRawBufferPointer) {
    guard let found = FieldPath(unchecked: ["indexes"]).range(in: text) else {
      self.init()
      return
    }
    let list = UnsafeRawBufferPointer(rebasing: text[found])
    let indexes = (JSONChildren.elements(of: list) ?? []).compactMap { element -> CollectionIndex? in
      let keys = UnsafeRawBufferPointer(rebasing: list[element])
      let names = (JSONChildren.elements(of: keys) ?? []).compactMap { name in
        keys[name.lowerBound] == UInt8(ascii: "\"") ? JSONString.decode(.init(rebasing: keys[name])) : nil
      }
      let index = CollectionIndex(names.map(CollectionIndex.Key.init(name:)))
      return index.keys.isEmpty || !index.keys.allSatisfy(\.path.canBeIndexed) ? nil : index
    }
    self.init(indexes: indexes)
  }
}

extension CollectionIndex.Key {
  /// - Parameter name: like `author.name`, with a minus sign in front if it is descending.
  public init(name: String) {
    let isDescending = name.utf8.first == UInt8(ascii: "-")
    let segments = (isDescending ? name.dropFirst() : name[...]).split(separator: ".", omittingEmptySubsequences: false)
    self.init(FieldPath(unchecked: segments.map(String.init)), isDescending: isDescending)
  }
}
