import DocketStore

/// What a path names.
public enum Resource: Sendable, Equatable {
  case root
  case echo
  case list
  case item
  case document(DocumentPath)
  case collection(CollectionPath)
  /// All documents of the database.
  case documents
  /// What is set for a collection.
  case settings(CollectionPath)
  /// What is set for all collections.
  case allSettings
  /// Copies of the database.
  case backups
  /// One of them, by what stands for its name.
  case backup(String)
  /// What may be done by who asks.
  case access
  /// Who may do what.
  case tokens
  /// A token, by its name or id.
  case token(String)
  case health
  /// Whether requests can be carried out.
  case ready
  case stats
  case batch
  /// What has changed.
  case changes
  /// A watch of the connection, by its id.
  case watch(String)
  /// A path under `/_` that this version does not know.
  case reserved
  /// A single segment without a slash, or no path at all: the original server answers 400, and so does this one.
  case unknown
}

/// Why a path names nothing.
public enum PathError: Error, Sendable, Equatable {
  case tooLong
  case emptySegment
  case dotSegment
  case slashInSegment
  case controlCharacter
  case percentEncoding
  case invalidUTF8
  case tooManyParameters

  /// What is wrong, and how to mend it.
  public var detail: String {
    switch self {
    case .tooLong: "The path is longer than \(PathGrammar.maximumBytes) bytes."
    case .emptySegment: "The path has an empty segment; between two slashes there must be a name."
    case .dotSegment: "The path has a segment '.' or '..'; paths are names, they are not resolved."
    case .slashInSegment: "The path has an encoded slash (%2F); a name cannot hold a slash."
    case .controlCharacter: "The path holds a control character (U+0000 to U+001F, U+007F); names are plain text."
    case .percentEncoding: "The path has a '%' that two hexadecimal digits do not follow; write a percent sign as %25."
    case .invalidUTF8: "The path is not UTF-8 once its percent-encoding is decoded."
    case .tooManyParameters: "Behind the '?' there may be \(Target.maximumParameters) parameters at most."
    }
  }
}
