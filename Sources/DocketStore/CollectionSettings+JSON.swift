import DocketJSON

extension CollectionSettings {
  /// As a store keeps them: `{"indexes": [["status", "-priority"]], "unique": [["email"]], "text": ["title"],
  /// "expire": 3600, "requireIfMatch": true}`; what is not set is left out, but for `indexes`.
  public var json: String {
    var members = ["\"indexes\": \(Self.array(indexes.map { Self.array($0.names.map(Self.string)) }))"]
    if !unique.isEmpty {
      members.append("\"unique\": \(Self.array(unique.map { Self.array($0.names.map(Self.string)) }))")
    }
    if !text.isEmpty { members.append("\"text\": \(Self.array(text.map { Self.string($0.description) }))") }
    if let lifetimeSeconds { members.append("\"expire\": \(lifetimeSeconds)") }
    if requiresCondition { members.append("\"requireIfMatch\": true") }
    return "{\(members.joined(separator: ", "))}"
  }

  private static func array(_ elements: [String]) -> String { "[\(elements.joined(separator: ", "))]" }

  private static func string(_ text: String) -> String {
    var token: [UInt8] = []
    JSONString.encode(text, into: &token)
    return String(decoding: token, as: UTF8.self)
  }

  /// Reads what `json` wrote. What is not of that form counts as not set.
  public init(stored text: UnsafeRawBufferPointer) {
    self.init()
    guard var members = try? JSONMembers(of: JSONScanner(text)) else { return }
    while let member = try? members.next() {
      let value = UnsafeRawBufferPointer(rebasing: text[member.value])
      switch JSONString.decode(UnsafeRawBufferPointer(rebasing: text[member.key.range])) {
      case "indexes": indexes = Self.indexes(value)
      case "unique": unique = Self.indexes(value)
      case "text": self.text = Self.names(value).map(CollectionIndex.Key.init(name:)).map(\.path).filter(\.canBeIndexed)
      case "expire":
        lifetimeSeconds = Int64(String(decoding: value, as: UTF8.self))
          .flatMap { (1...Lifetime.maximumSeconds).contains($0) ? $0 : nil }
      case "requireIfMatch": requiresCondition = value.elementsEqual("true".utf8)
      default: break
      }
    }
  }

  private static func indexes(_ list: UnsafeRawBufferPointer) -> [CollectionIndex] {
    (JSONChildren.elements(of: list) ?? []).compactMap { element in
      let index = CollectionIndex(names(.init(rebasing: list[element])).map(CollectionIndex.Key.init(name:)))
      return index.keys.isEmpty || !index.keys.allSatisfy(\.path.canBeIndexed) ? nil : index
    }
  }

  private static func names(_ list: UnsafeRawBufferPointer) -> [String] {
    (JSONChildren.elements(of: list) ?? []).compactMap { name in
      list[name.lowerBound] == UInt8(ascii: "\"") ? JSONString.decode(.init(rebasing: list[name])) : nil
    }
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
