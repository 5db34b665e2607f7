import DocketJSON
import NIOCore

/// What a GET of a collection is asked with: the members of the object in `data`, and what stands behind the `?`, which
/// counts over the same name in `data`.
struct ReadParameters {
  /// Without those that are null. Of a name given twice the last one counts.
  private var members: [(name: String, json: ByteBuffer)]
  private var parameters: [Target.Parameter]

  /// Each has a name of its own, of which a request knows far fewer.
  private static let maximumMembers = 256

  init(_ target: Target, data: ByteBuffer?) throws(ParameterError) {
    parameters = target.parameters
    guard let data, !data.isNull else {
      members = []
      return
    }
    let all = data.jsonMembers(atMost: Self.maximumMembers + 1)
    guard all.map({ $0.count <= Self.maximumMembers }) ?? true else {
      throw .invalidQuery("The data of GET on a collection has \(Self.maximumMembers) members at most.")
    }
    guard let members = all?.filter({ !$0.value.isNull }), members.allSatisfy({ $0.value.jsonText != nil })
    else {
      throw ParameterError(
        code: "invalid_query",
        detail: "The data of GET on a collection must be absent, or an object such as {\"limit\": 20}.")
    }
    self.members = members.map { ($0.name, $0.value) }
  }

  var names: [String] { members.map(\.name) + parameters.map(\.name) }

  /// Whether they ask for a part of a collection as it lies, and no more.
  var askForPageOnly: Bool { names.allSatisfy { ["limit", "after", "asOf"].contains($0) } }

  /// Takes a name away, wherever it stands.
  mutating func drop(_ name: String) {
    members.removeAll { $0.name == name }
    parameters.removeAll { $0.name == name }
  }

  func has(_ name: String) -> Bool { names.contains(name) }

  /// A value as text: of a string what it says, of another value in `data` its JSON.
  func text(_ name: String) -> String? {
    parameters.last { $0.name == name }?.value ?? member(name)?.jsonText
  }

  /// Whether a value is a string, which it always is behind the `?`.
  func isText(_ name: String) -> Bool {
    parameters.contains { $0.name == name } || member(name)?.isJSONString == true
  }

  /// A value as JSON, which it may stand for behind the `?`.
  func json(_ name: String) -> ByteBuffer? {
    parameters.last { $0.name == name }.map { Self.json($0.value) } ?? member(name)
  }

  /// The values of `name`, and those of `name[first][second]` as the objects that such names stand for.
  func objects(_ name: String) throws(ParameterError) -> [ByteBuffer] {
    var found: [ByteBuffer] = []
    for parameter in parameters {
      if parameter.name == name { found.append(Self.json(parameter.value)) }
      guard let keys = try Self.keys(of: parameter.name, in: name) else { continue }
      guard keys.last != "$text" else {
        found.append(Self.object(keys, Self.string(parameter.value)))
        continue
      }
      let takesText = keys.last == "$prefix" || (keys.first == "@id" && keys.last != "$exists")
      found.append(Self.object(keys, Self.json(parameter.value, isText: takesText)))
    }
    return found.isEmpty ? member(name).map { [$0] } ?? [] : found
  }

  /// `{"status": {"$gte": value}}`
  private static func object(_ keys: [String], _ value: ByteBuffer) -> ByteBuffer {
    keys.reversed().reduce(value) { inner, key in
      var object = ByteBuffer(staticString: "{")
      object.writeJSONString(key)
      object.writeStaticString(": ")
      object.writeImmutableBuffer(inner)
      object.writeStaticString("}")
      return object
    }
  }

  private func member(_ name: String) -> ByteBuffer? { members.last { $0.name == name }?.json }

  /// `status` and `$gte` in `where[status][$gte]`; nil for the name of another parameter.
  private static func keys(of parameter: String, in name: String) throws(ParameterError) -> [String]? {
    guard parameter.utf8.starts(with: (name + "[").utf8) else { return nil }
    let keys = keys(in: Array(parameter.utf8.dropFirst(name.utf8.count + 1).dropLast()))
    guard parameter.utf8.last == UInt8(ascii: "]"), keys.dropFirst().allSatisfy({ $0.utf8.first == UInt8(ascii: "$") })
    else {
      throw ParameterError(
        code: "invalid_query",
        detail:
          "'\(parameter.shortened)' must be \(name)[FIELD], \(name)[FIELD][OPERATOR] or \(name)[OPERATOR]; FIELD is a dotted path such as author.name, and $and and $or take JSON."
      )
    }
    return keys
  }

  /// What stands before, between and behind each `][`. By hand: a fifth of a query's work on its loop went into Swift's `split`
  /// at more than one byte.
  private static func keys(in utf8: [UInt8]) -> [String] {
    var keys: [String] = []
    var start = 0
    var end = 0
    while end < utf8.count {
      if utf8[end...].starts(with: "][".utf8) {
        keys.append(String(decoding: utf8[start..<end], as: UTF8.self))
        end += 2
        start = end
      } else {
        end += 1
      }
    }
    keys.append(String(decoding: utf8[start...], as: UTF8.self))
    return keys
  }

  /// What a value behind the `?` stands for: JSON, where it is that, or else a string.
  /// - Parameter isText: whether what looks like a number, true, false or null is a string, too.
  private static func json(_ text: String, isText: Bool = false) -> ByteBuffer {
    let bytes = Array(text.utf8)
    let hasSpace = [bytes.first, bytes.last].contains { $0.map { $0 <= UInt8(ascii: " ") } ?? true }
    let isOpen = bytes.first.map { "\"[{".utf8.contains($0) } == true
    if !hasSpace, isOpen || !isText, (try? bytes.withUnsafeBytes { try JSONScanner.validate($0) }) != nil {
      return ByteBuffer(bytes: bytes)
    }
    return string(text)
  }

  private static func string(_ text: String) -> ByteBuffer {
    var string = ByteBuffer()
    string.writeJSONString(text)
    return string
  }
}
