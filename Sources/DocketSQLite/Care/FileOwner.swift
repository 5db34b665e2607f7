import Glibc

/// Whose a file is. What root makes in the place of another user's file would be closed to that user's server.
struct FileOwner {
  private let user: uid_t
  private let group: gid_t

  /// Nil: there is no such file.
  init?(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    user = status.st_uid
    group = status.st_gid
  }

  /// Whose the files beside a database are to be: its owner's, or, where there is none yet, that of its folder.
  static func ofFiles(beside database: DatabasePath) -> FileOwner? {
    FileOwner(of: database.file) ?? FileOwner(of: database.folder)
  }

  /// The owner is another one only where root does this, who may give files away.
  private var isAnother: Bool { user != geteuid() || group != getegid() }

  func give(_ path: String) {
    if isAnother { chown(path, user, group) }
  }

  func give(_ descriptor: Int32) {
    if isAnother { fchown(descriptor, user, group) }
  }
}
