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
  /// What keeps it as the documents are. Where one of these is not there, it may have missed something, and is made anew.
  var keepers: [SettingsObject] = []

  /// It and what keeps it.
  var whole: [SettingsObject] { [self] + keepers }

  var schemaName: Schema.Name { Schema.Name(type: kind.rawValue, name: name) }

  var drop: String {
    whole.reversed()
      .map { "DROP \($0.kind.rawValue.uppercased()) IF EXISTS \(SQLText.identifier($0.name))" }
      .joined(separator: ";\n")
  }

  /// Makes it anew, in the place of what may stand under its name.
  var make: String {
    ([drop, create, fill].compactMap { $0 } + keepers.map(\.create)).joined(separator: ";\n")
  }

  /// The names of all that stands in the schema because of it.
  var schemaNames: [Schema.Name] {
    whole.flatMap { [$0.schemaName] + $0.shadows.map { Schema.Name(type: "table", name: $0) } }
  }
}

extension NamedSettings {
  /// How words are searched in the collection's documents; nil where its settings name no texts.
  var textSchema: TextSchema? { settings.text.isEmpty ? nil : TextSchema(settings.text, of: collection) }

  /// What the settings need in the schema. Each name has the collection in it, so no two collections' are the same.
  var objects: [SettingsObject] {
    settings.allIndexes.map { IndexSchema($0, of: collection).object }
      + settings.unique.map { UniqueSchema($0, of: collection).object } + (textSchema.map { [$0.object] } ?? [])
  }
}
