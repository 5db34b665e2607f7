import CSQLite

extension Connection {
  /// Cuts the file to nothing, past SQLite: of one that has lost its name to another, and that is removed once it is closed.
  func emptyFile() {
    var file: UnsafeMutablePointer<sqlite3_file>?
    guard sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK, let file,
      let methods = file.pointee.pMethods
    else { return }
    _ = methods.pointee.xTruncate(file, 0)
  }
}
