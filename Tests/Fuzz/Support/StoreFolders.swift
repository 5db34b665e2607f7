import Foundation
import Synchronization

/// The folders of this process, to be removed when it ends.
enum StoreFolders {
  private static let all = Mutex<[String]>([])

  static func make() throws -> String {
    let place = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    let folder = "\(place)/docket-fuzz-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    all.withLock { $0.append(folder) }
    return folder
  }

  static func remove(_ folder: String) {
    try? FileManager.default.removeItem(atPath: folder)
    all.withLock { $0.removeAll { $0 == folder } }
  }

  static func removeAll() {
    for folder in all.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: folder) }
  }
}
