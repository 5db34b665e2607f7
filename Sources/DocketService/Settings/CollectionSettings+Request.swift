import DocketJSON
import DocketStore
import NIOCore

extension CollectionSettings {
  /// Reads the data of `PUT /_collections/notes/`: `{"indexes": [["status", "-priority"], "author.name"]}`.
  init(request data: ByteBuffer?) throws(ParameterError) {
    self.init()
    let result = (data ?? ByteBuffer()).withUnsafeReadableBytes { bytes in
      Result { () throws(ParameterError) in try Self.read(bytes) }
    }
    self = try result.get()
  }

  private static func read(_ bytes: UnsafeRawBufferPointer) throws(ParameterError) -> CollectionSettings {
    guard var members = try? JSONMembers(of: JSONScanner(bytes)) else {
      throw .invalidSettings("Settings are an object, such as {\"indexes\": [[\"status\", \"-priority\"]]}.")
    }
    var settings = CollectionSettings()
    while let member = try? members.next() {
      let name = JSONString.decode(UnsafeRawBufferPointer(rebasing: bytes[member.key.range])) ?? ""
      let value = UnsafeRawBufferPointer(rebasing: bytes[member.value])
      switch name {
      case "indexes": settings.indexes = try indexes(value)
      default: throw .invalidSettings("There is no setting '\(name)'; a collection has 'indexes'.")
      }
    }
    return settings
  }

  private static func indexes(_ list: UnsafeRawBufferPointer) throws(ParameterError) -> [CollectionIndex] {
    guard let elements = JSONChildren.elements(of: list) else {
      throw .invalidSettings("'indexes' is an array with an array of field names for each index.")
    }
    var indexes: [CollectionIndex] = []
    for element in elements {
      let index = try CollectionIndex(UnsafeRawBufferPointer(rebasing: list[element]))
      guard !indexes.contains(index) else {
        throw .invalidSettings("The index \(index.names) is named twice; leave one out.")
      }
      indexes.append(index)
    }
    return indexes
  }
}

extension CollectionIndex {
  /// - Parameter value: an array of names, or one name.
  fileprivate init(_ value: UnsafeRawBufferPointer) throws(ParameterError) {
    let elements = JSONChildren.elements(of: value) ?? [0..<value.count]
    var keys: [Key] = []
    for element in elements {
      let key = try Key(field: try Self.name(UnsafeRawBufferPointer(rebasing: value[element])))
      guard !keys.contains(where: { $0.path == key.path }) else {
        throw .invalidSettings("An index has the field '\(key.path)' twice; leave one out.")
      }
      keys.append(key)
    }
    guard (1...Self.maximumKeys).contains(keys.count) else {
      throw .invalidSettings("An index has from 1 to \(Self.maximumKeys) fields.")
    }
    self.init(keys)
  }

  private static func name(_ value: UnsafeRawBufferPointer) throws(ParameterError) -> String {
    guard value.first == UInt8(ascii: "\""), let name = JSONString.decode(value) else {
      throw .invalidSettings("An index is an array of field names, which are strings: [\"status\", \"-priority\"].")
    }
    return name
  }
}

extension CollectionIndex.Key {
  /// - Parameter name: of a field in documents; with a minus before it: descending.
  fileprivate init(field name: String) throws(ParameterError) {
    let key = try Query.SortKey(name: name)
    guard case .value(let path) = key.field, path.canBeIndexed else {
      throw ParameterError(
        code: "invalid_field",
        detail:
          "The field '\(name)' cannot be indexed: names in an index are of ASCII characters, without quotes and backslashes, and no place in an array or metadata. Queries find it all the same, by a scan."
      )
    }
    self.init(path, isDescending: key.isDescending)
  }
}

extension ParameterError {
  fileprivate static func invalidSettings(_ detail: String) -> ParameterError {
    ParameterError(code: "invalid_settings", detail: detail)
  }
}
