import DocketStore

/// What can be done with the settings of collections.
public enum SettingsOperation: Sendable {
  case read(CollectionPath)
  case readAll
  /// nil sets nothing any more.
  case change(CollectionPath, CollectionSettings?)
}
