import DocketStore

/// An object of the schema that is there because of a collection's settings.
struct SettingsObject: Equatable {
  enum Kind: String {
    case index, table, trigger
  }

  let kind: Kind
  let name: String
  /// As `sqlite_schema` has it.
  let create: String
  /// What brings the documents into it that are there already.
  var fill: String?
  /// How many steps of SQLite's virtual machine it takes to bring in one document of the collection, about.
  var stepsPerDocument: Int64 = 0
  /// Names of the tables that SQLite makes with it.
  var shadows: [String] = []

  var drop: String { "DROP \(kind.rawValue.uppercased()) IF EXISTS \(SQLText.identifier(name))" }

  /// Makes it anew, in the place of what may stand under its name.
  var make: String { [drop, create, fill].compactMap { $0 }.joined(separator: ";\n") }

  /// The names of all that stands in the schema because of it.
  var schemaNames: [Schema.Name] {
    [Schema.Name(type: kind.rawValue, name: name)] + shadows.map { Schema.Name(type: "table", name: $0) }
  }
}

extension NamedSettings {
  /// What the settings need in the schema. Each name has the collection in it, so no two collections' are the same.
  var objects: [SettingsObject] {
    settings.allIndexes.map { IndexSchema($0, of: collection).object }
      + settings.unique.map { UniqueSchema($0, of: collection).object }
  }
}
