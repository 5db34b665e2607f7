import DocketStore

/// Documents and questions of few fields and few values, so that they meet each other often.
public struct RandomQueries {
  public var generator: SeededGenerator
  /// Objects that are made here are equal to no other.
  private var lastIdentity = 1_000

  public static let collections = ["/q/", "/q/1/", "/q/1/x/", "/q0/", "/Q/"]
  private static let fields = [
    "a", "a", "b", "b", "n.x", "n", "t", "t.0", "t.1", "d", "e", "\u{E9}", "e\u{301}", "0", "a.b", "t.0.b", "q\"'\\",
    "none",
  ]

  public init(generator: SeededGenerator) {
    self.generator = generator
  }

  public mutating func element<Value>(_ values: [Value]) -> Value {
    values[Int.random(in: 0..<values.count, using: &generator)]
  }

  public mutating func isChosen(_ one: Int, of many: Int) -> Bool { Int.random(in: 0..<many, using: &generator) < one }

  mutating func value() -> SampleValue {
    switch Int.random(in: 0..<10, using: &generator) {
    case 0: element(SampleValue.objects)
    case 1: array()
    default: element(SampleValue.scalars)
    }
  }

  private mutating func array() -> SampleValue {
    let elements = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
      isChosen(1, of: 8) ? element(SampleValue.objects) : element(SampleValue.scalars)
    }
    return .array(elements, separator: element([",", ", ", " ,\n"]))
  }

  // MARK: Documents

  public mutating func document() -> SampleValue {
    switch Int.random(in: 0..<12, using: &generator) {
    case 0: return array()
    case 1: return element(SampleValue.scalars)
    default: break
    }
    var members: [(text: String, key: String?, value: SampleValue)] = []
    func add(_ text: String, as key: String?, _ value: SampleValue) { members.append((text, key, value)) }
    if isChosen(3, of: 4) { add("a", as: "a", value()) }
    if isChosen(1, of: 2) { add("b", as: "b", value()) }
    if isChosen(1, of: 2) { add("t", as: "t", array()) }
    if isChosen(1, of: 2) { add("n", as: "n", object([("x", "x", value()), ("y", "y", value())])) }
    if isChosen(1, of: 4) {
      add("d", as: "d", value())
      add("d", as: "d", value())
    }
    if isChosen(1, of: 4) { add(#"\u0065"#, as: nil, value()) }
    if isChosen(1, of: 4) { add(element(["\u{E9}", #"\u00e9"#, #"\u00E9"#]), as: "\u{E9}", value()) }
    if isChosen(1, of: 4) { add("e\u{301}", as: "e\u{301}", value()) }
    if isChosen(1, of: 4) { add(#"q\"'\\"#, as: nil, value()) }
    members.shuffle(using: &generator)
    return object(members)
  }

  /// - Parameter members: the keys as they are written, and as they are found, if they are.
  private mutating func object(_ members: [(text: String, key: String?, value: SampleValue)]) -> SampleValue {
    lastIdentity += 1
    let text = members.map { "\"\($0.text)\":\($0.value.text)" }.joined(separator: element([",", " , "]))
    let found = members.compactMap { member in member.key.map { (key: $0, value: member.value) } }
    return SampleValue(text: "{\(text)}", meaning: .object(identity: lastIdentity, members: found))
  }

  // MARK: Questions

  mutating func scope() -> Query.Scope {
    let collection = CollectionPath(unchecked: element(Self.collections))
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: return .everything
    case 1: return .tree(collection)
    default: return .collection(collection)
    }
  }

  mutating func filter(depth: Int = 0) -> SampleFilter {
    switch Int.random(in: 0..<(depth < 3 ? 8 : 5), using: &generator) {
    case 5: return .all((0..<Int.random(in: 0...3, using: &generator)).map { _ in filter(depth: depth + 1) })
    case 6: return .any((0..<Int.random(in: 0...3, using: &generator)).map { _ in filter(depth: depth + 1) })
    case 7: return .not(filter(depth: depth + 1))
    default: return .test(element(Self.fields), test())
    }
  }

  private mutating func test() -> SampleFilter.Test {
    let scalar = element(SampleValue.scalars)
    switch Int.random(in: 0..<10, using: &generator) {
    case 0, 1: return .equal(value())
    case 2: return .less(scalar)
    case 3: return .lessOrEqual(scalar)
    case 4: return .greater(scalar)
    case 5: return .greaterOrEqual(scalar)
    case 6: return .oneOf((0..<Int.random(in: 0...6, using: &generator)).map { _ in value() })
    case 7:
      guard case .string(let points) = scalar.meaning else { return .exists(isChosen(1, of: 2)) }
      return .prefix(points, scalar)
    default: return .contains(value())
    }
  }

  /// Names of fields, and whether they are to fall.
  public mutating func sort() -> [(field: String, isDescending: Bool)] {
    (0..<Int.random(in: 0...3, using: &generator)).map { _ in
      (element(Self.fields + ["@id", "@revision", "@updated", "@created"]), isChosen(1, of: 2))
    }
  }
}
