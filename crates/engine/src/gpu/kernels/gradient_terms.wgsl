      case 1u: {
        var squares = vec4<f32>(0.0);
        var flipped = vec4<f32>(0.0);
        for (var d = 0u; d < TANGENTS; d++) {
          let g = row(first_gradient + d, q);
          squares += (gradient[d] - g) * (gradient[d] - g);
          flipped += (gradient[d] + g) * (gradient[d] + g);
        }
        let is_flipped = (flipped < squares) & vec4<bool>(term.is_signed == 0u);
        let s = select(vec4<f32>(1.0), vec4<f32>(-1.0), is_flipped);
        let distance = sqrt(select(squares, flipped, is_flipped));
        let e = of_difference(distance, term.is_squared);
        loss = e.loss;
        for (var d = 0u; d < TANGENTS; d++) {
          let difference = gradient[d] - s * row(first_gradient + d, q);
          d_gradient[d] += factor * ratio(e.slope * difference, distance);
        }
      }
      case 2u: {
        var along = vec4<f32>(0.0);
        for (var d = 0u; d < TANGENTS; d++) { along += row(first_direction + d, q) * gradient[d]; }
        let e = of_difference(along - row(first_slope + o, q), term.is_squared);
        loss = e.loss;
        for (var d = 0u; d < TANGENTS; d++) {
          d_gradient[d] += factor * e.slope * row(first_direction + d, q);
        }
      }
      case 3u: {
        var product = vec4<f32>(0.0);
        var squares = vec4<f32>(0.0);
        var own_squares = vec4<f32>(0.0);
        for (var d = 0u; d < TANGENTS; d++) {
          let n = row(first_gradient + d, q);
          product += gradient[d] * n;
          squares += n * n;
          own_squares += gradient[d] * gradient[d];
        }
        let norms = sqrt(own_squares) * sqrt(squares);
        let cosine = ratio(product, norms);
        let s = select(sign(cosine), vec4<f32>(1.0), term.is_signed == 1u);
        loss = vec4<f32>(1.0) - s * cosine;
        for (var d = 0u; d < TANGENTS; d++) {
          let n = row(first_gradient + d, q);
          let slope = ratio(n, norms) - ratio(cosine * gradient[d], own_squares);
          d_gradient[d] -= factor * s * select(slope, vec4<f32>(0.0), norms == vec4<f32>(0.0));
        }
      }
      case 4u: {
        var squares = vec4<f32>(0.0);
        for (var d = 0u; d < TANGENTS; d++) { squares += gradient[d] * gradient[d]; }
        let norm = sqrt(squares);
        let e = of_difference(norm - vec4<f32>(1.0), term.is_squared);
        loss = e.loss;
        for (var d = 0u; d < TANGENTS; d++) {
          d_gradient[d] += factor * ratio(e.slope * gradient[d], norm);
        }
      }
      case 7u: {
        let heat = math_exp(-2.0 * term.parameter * abs(value));
        var squares = vec4<f32>(1.0);
        for (var d = 0u; d < TANGENTS; d++) { squares += gradient[d] * gradient[d]; }
        loss = 0.5 * heat * squares;
        d_value -= factor * 2.0 * term.parameter * sign(value) * loss;
        for (var d = 0u; d < TANGENTS; d++) { d_gradient[d] += factor * heat * gradient[d]; }
      }
