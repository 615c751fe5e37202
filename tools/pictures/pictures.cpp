#include "pictures/pictures.h"

#include "pictures/script.h"

namespace pushforward {

std::vector<Picture> make_pictures(const PictureNumbers& numbers) {
  std::vector<Picture> pictures;
  const auto add = [&](bool there, Picture (*make)(const PictureNumbers&)) {
    if (there) pictures.push_back(make(numbers));
  };
  const bool data = numbers.data.has_value(), samples = numbers.samples.has_value(), rows = data || samples;
  const Index elements = rows ? shown_rows(numbers).columns() : 0;
  add(data && elements == 2, &data_picture);
  add(data && elements <= 2, &data_marginals_picture);
  if (numbers.losses.rows > 0) pictures.push_back(loss_picture(numbers.losses));
  add(samples && elements == 2, &samples_picture);
  add(rows, &marginals_picture);
  add(numbers.density && elements == 2, &density_picture);
  add(numbers.warp && rows, &warp_picture);
  add(rows && elements > 2, &corner_picture);
  return pictures;
}

}  // namespace pushforward
