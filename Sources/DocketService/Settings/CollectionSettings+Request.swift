import DocketJSON
import DocketStore
import NIOCore

extension CollectionSettings {
  /// Reads the data of `PUT /_collections/notes/`: `{"indexes": [["status", "-priority"], "author.name"], "unique":
  /// ["email"], "text": ["title"], "expire": 3600, "requireIfMatch": true}`.
  init(request data: ByteBuffer?) throws(ParameterError) {
    self.init()
    guard let members = data?.jsonMembers else {
      throw .invalidSettings("Settings are an object, such as {\"indexes\": [[\"status\", \"-priority\"]]}.")
    }
    for (name, value) in members {
      switch name {
      case "indexes":
        indexes = try Self.indexes(value, of: name) { name throws(ParameterError) in try .init(field: name) }
      case "unique":
        unique = try Self.indexes(value, of: name) { name throws(ParameterError) in try .init(uniqueField: name) }
      case "text": text = try Self.textFields(value)
      case "expire": lifetimeSeconds = try Self.lifetime(value)
      case "requireIfMatch":
        guard let flag = value.jsonBool else { throw .invalidSettings("'requireIfMatch' is true or false.") }
        requiresCondition = flag
      default:
        throw .invalidSettings(
          "There is no setting '\(name.shortened)'; a collection has 'indexes', 'unique', 'text', 'expire' and 'requireIfMatch'."
        )
      }
    }
  }

  private static func indexes(
    _ list: ByteBuffer, of setting: String, key: (String) throws(ParameterError) -> CollectionIndex.Key
  ) throws(ParameterError) -> [CollectionIndex] {
    guard let elements = list.jsonElements else {
      throw .invalidSettings("'\(setting)' is an array with an array of field names for each index.")
    }
    guard elements.count <= CollectionSettings.maximumIndexes else {
      throw ParameterError(
        code: "too_many_indexes", detail: "'\(setting)' takes \(CollectionSettings.maximumIndexes) indexes at most.")
    }
    var indexes: [CollectionIndex] = []
    for element in elements {
      let index = try CollectionIndex(element, of: setting, key: key)
      guard !indexes.contains(index) else {
        throw .invalidSettings("'\(setting)' names \(index.names) twice; leave one out.")
      }
      indexes.append(index)
    }
    return indexes
  }

  /// FTS5 takes so many columns and more (https://sqlite.org/limits.html#max_column); these are enough for people.
  private static let maximumTextFields = 16

  private static func textFields(_ list: ByteBuffer) throws(ParameterError) -> [FieldPath] {
    var fields: [FieldPath] = []
    let elements = list.jsonElements ?? [list]
    guard elements.count <= maximumTextFields else {
      throw .invalidSettings("'text' takes \(maximumTextFields) fields at most.")
    }
    for element in elements {
      let key = try CollectionIndex.Key(uniqueField: try element.fieldName(of: "text"))
      guard !fields.contains(key.path) else {
        throw .invalidSettings("'text' names '\(key.path)' twice; leave one out.")
      }
      try checkTextField(key.path.description, beside: fields)
      fields.append(key.path)
    }
    return fields
  }

  /// Fields are columns of SQLite, which has some of its own and does not tell capitals.
  private static func checkTextField(_ name: String, beside others: [FieldPath]) throws(ParameterError) {
    let lowercased = name.lowercased()
    guard lowercased != "rank", lowercased != "rowid" else {
      throw .invalidSettings(
        "'text' cannot have the field '\(name)': the index of texts has a column of that name itself.")
    }
    if let other = others.first(where: { $0.description.lowercased() == lowercased }) {
      throw .invalidSettings(
        "'text' cannot have both '\(other)' and '\(name)': the index of texts takes names for the same that differ only in capitals."
      )
    }
  }

  private static func lifetime(_ value: ByteBuffer) throws(ParameterError) -> Int64 {
    guard let seconds = Int64(String(buffer: value)), (1...Lifetime.maximumSeconds).contains(seconds) else {
      throw .invalidSettings(
        "'expire' is a whole number of seconds from 1 to \(Lifetime.maximumSeconds); without it documents stay."
      )
    }
    return seconds
  }
}

extension CollectionIndex {
  /// - Parameter value: an array of names, or one name.
  fileprivate init(
    _ value: ByteBuffer, of setting: String, key: (String) throws(ParameterError) -> Key
  ) throws(ParameterError) {
    var keys: [Key] = []
    let elements = value.jsonElements ?? [value]
    guard (1...Self.maximumKeys).contains(elements.count) else {
      throw .invalidSettings("An index has from 1 to \(Self.maximumKeys) fields.")
    }
    for element in elements {
      let key = try key(try element.fieldName(of: setting))
      guard !keys.contains(where: { $0.path == key.path }) else {
        throw .invalidSettings("'\(setting)' has the field '\(key.path)' twice in one index; leave one out.")
      }
      keys.append(key)
    }
    self.init(keys)
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

  /// - Parameter name: the same of what is in no order.
  fileprivate init(uniqueField name: String) throws(ParameterError) {
    try self.init(field: name)
    guard !isDescending else {
      throw .invalidSettings("The field '\(name)' has a minus, which is for the order of an index; leave it out.")
    }
  }
}

extension ByteBuffer {
  fileprivate func fieldName(of setting: String) throws(ParameterError) -> String {
    guard isJSONString, let name = jsonText else {
      throw .invalidSettings("Fields in '\(setting)' are names, which are strings, such as \"author.name\".")
    }
    return name
  }
}

extension ParameterError {
  fileprivate static func invalidSettings(_ detail: String) -> ParameterError {
    ParameterError(code: "invalid_settings", detail: detail)
  }
}
